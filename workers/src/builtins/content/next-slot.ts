/** The first full hour of the day, in UTC, that comes after a moment. */
export function nextSlot(after: Date, hour: number): Date {
  const slot = new Date(after)
  slot.setUTCHours(hour, 0, 0, 0)
  if (slot <= after) slot.setUTCDate(slot.getUTCDate() + 1)
  return slot
}
