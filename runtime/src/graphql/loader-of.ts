import DataLoader from 'dataloader'

type Load<Context, Value> = (context: Context, ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>

const loaders = new WeakMap<object, Map<unknown, DataLoader<string, unknown>>>()

/**
 * The batching loader of a function, one per request's context: `loaderOf(context, loadAgents).load(id)`. The
 * function answers with a map; an id it leaves out is null, exactly as one of another tenant.
 */
export function loaderOf<Context extends object, Value>(
  context: Context,
  load: Load<Context, Value>,
): DataLoader<string, Value | null> {
  const ofContext = loaders.get(context) ?? new Map<unknown, DataLoader<string, unknown>>()
  loaders.set(context, ofContext)
  const known = ofContext.get(load)
  if (known) return known as DataLoader<string, Value | null>
  const loader = new DataLoader<string, Value | null>(async (ids) => {
    const found = await load(context, ids)
    return ids.map((id) => found.get(id) ?? null)
  })
  ofContext.set(load, loader)
  return loader
}
