/** The attempt ends here: people are asked, and it begins anew when they decided. */
export class AskedFirst extends Error {
  override readonly name = 'AskedFirst'
  readonly approvalId: string

  constructor(approvalId: string) {
    super('People are asked first.')
    this.approvalId = approvalId
  }
}
