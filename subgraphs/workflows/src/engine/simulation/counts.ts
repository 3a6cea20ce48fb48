/** How often what happened, by name. */
export class Counts {
  readonly of = new Map<string, number>()

  add(name: string, more = 1): void {
    this.of.set(name, (this.of.get(name) ?? 0) + more)
  }
}
