import { eventActor, type Database } from '@tutti/prisma'
import { EVENTS, fail } from '@tutti/schema'
import { agentMemoryOf, type Correspondent, type Target } from './agent-memory.ts'
import { type MessageKind, MOST_WAITING, type Sender } from './agent-message.ts'
import type { Judgement } from './evaluate-policies.ts'
import { policyMemoryOf } from './policy-memory.ts'

/**
 * Whom a message goes to: the agent that is named, or of those of a type or capability the one with the fewest messages,
 * by name where equal; never the sender itself then. NOT_FOUND when there is none; INVALID_STATE for one that is retired;
 * FORBIDDEN when a policy denies it, which leaves `message.denied`; INBOX_FULL when all of them have too much to read.
 */
export async function chooseRecipient(
  database: Database,
  {
    sender,
    agent: from,
    kind,
    target,
  }: { sender: Sender; agent: Correspondent | null; kind: MessageKind; target: Target },
): Promise<Correspondent> {
  const memory = agentMemoryOf(database)
  const { actor } = sender
  const candidates = await candidatesOf()
  const judge = await policyMemoryOf(database).judgeOf(actor)
  const judged = candidates.map((agent) => ({ agent, judgement: judge(from, agent) }))
  const allowed = judged.filter(({ judgement }) => judgement.allowed).map(({ agent }) => agent)
  const [denied] = judged
  if (allowed.length === 0 && denied) {
    await recordDenial(database, sender, kind, denied.agent, denied.judgement)
    fail('FORBIDDEN', {
      path: 'input.to',
      message: 'A communication policy does not allow this.',
      hint: `The policy is ${denied.judgement.policy?.name}.`,
    })
  }
  const free = allowed.find(({ waiting }) => waiting < MOST_WAITING) ?? (await freedOf(allowed))
  return (
    free ??
    fail('INBOX_FULL', {
      path: 'input.to',
      message: `There are ${MOST_WAITING} messages waiting in the inbox.`,
      hint: 'Send again when its agent has acknowledged some.',
    })
  )

  async function candidatesOf(): Promise<Correspondent[]> {
    if (target.agent != null) {
      const agent = await memory.find(actor, target.agent)
      if (!agent) fail('NOT_FOUND', { path: 'input.to.agent' })
      if (agent.status === 'retired')
        fail('INVALID_STATE', { path: 'input.to.agent', message: 'This agent is retired.' })
      return [agent]
    }
    const able = (await memory.able(actor, target)).filter(({ id }) => id !== sender.agentId)
    return able.length > 0
      ? able
      : fail('NOT_FOUND', { path: 'input.to', message: 'No active agent is of this type or capability.' })
  }

  /** What was read a second ago may have been acknowledged since. */
  async function freedOf([agent]: readonly Correspondent[]): Promise<Correspondent | undefined> {
    const anew = agent ? await memory.find(actor, agent.id, true) : undefined
    return anew && anew.waiting < MOST_WAITING ? anew : undefined
  }
}

/** Keeps that a policy did not let a message through. */
export async function recordDenial(
  database: Database,
  { actor, agentId }: Sender,
  kind: MessageKind,
  to: Correspondent,
  { policy }: Judgement,
): Promise<void> {
  const data = {
    kind,
    fromAgentId: agentId,
    toAgentId: to.id,
    policyId: policy?.id ?? null,
    policy: policy?.name ?? null,
  }
  await database.transact(actor, (client) =>
    client.query(
      `insert into log.event (organization_id, type, subject, actor, data) values ($1, 'message.denied', $2, $3, $4)`,
      [
        actor.organizationId,
        `agent/${to.id}`,
        JSON.stringify(eventActor(actor)),
        JSON.stringify(EVENTS['message.denied'].parse(data)),
      ],
    ),
  )
  database.announce()
}
