/** Built-in roles, from most to least able. */
export const ROLES = ['admin', 'operator', 'approver', 'viewer', 'agent'] as const
export type Role = (typeof ROLES)[number]

/** What a credential may do; `<room>:<verb>`, used by `@requiresScopes`. */
export const SCOPES = [
  'agents:read',
  'agents:write',
  'agents:invoke',
  'workflows:read',
  'workflows:write',
  'runs:read',
  'runs:start',
  'runs:control',
  'runs:report',
  'board:work',
  'resources:use',
  'messages:send',
  'messages:receive',
  'containment:order',
  'events:publish',
  'limits:write',
  'settings:write',
  'governance:read',
  'policies:write',
  'policies:review',
  'approvals:request',
  'approvals:decide',
  'escalations:handle',
  'incidents:handle',
  'audit:read',
  'audit:write',
  'audit:sensitive',
  'audit:export',
  'audit:manage',
  'access:manage',
  'access:provision',
  'access:break-glass',
  'credentials:write',
  'metrics:read',
  'quality:write',
  'knowledge:read',
  'knowledge:write',
] as const
export type Scope = (typeof SCOPES)[number]

const READ: readonly Scope[] = [
  'agents:read',
  'workflows:read',
  'runs:read',
  'governance:read',
  'metrics:read',
  'knowledge:read',
]

const GRANTS: Record<Role, readonly Scope[]> = {
  admin: SCOPES,
  operator: [
    ...READ,
    'agents:write',
    'agents:invoke',
    'workflows:write',
    'runs:start',
    'runs:control',
    'runs:report',
    'board:work',
    'resources:use',
    'messages:send',
    'messages:receive',
    'containment:order',
    'events:publish',
    'approvals:request',
    'escalations:handle',
    'incidents:handle',
    'audit:read',
    'quality:write',
    'knowledge:write',
  ],
  approver: [...READ, 'policies:review', 'approvals:decide', 'escalations:handle', 'audit:read'],
  viewer: READ,
  agent: [
    'agents:read',
    'runs:read',
    'runs:report',
    'board:work',
    'resources:use',
    'messages:send',
    'messages:receive',
    'events:publish',
    'knowledge:read',
    'approvals:request',
    'audit:write',
    'quality:write',
  ],
}

/** Whether a text is a scope that there is. */
export const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text)

/** The union of what the roles grant, sorted, so that equal authority compares equal. */
export function scopesOf(roles: readonly Role[]): Scope[] {
  return [...new Set(roles.flatMap((role) => GRANTS[role]))].sort()
}
