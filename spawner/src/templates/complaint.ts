/** What is wrong with a template. */
export interface Complaint {
  /** The paths of the fields that the complaint is about. The first field is the one to change. */
  readonly fields: readonly [string, ...string[]]
  /** The message continues a sentence that begins with the field. */
  readonly message: string
}
