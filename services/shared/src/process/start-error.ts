/** A service cannot start, for a reason that the operator can remove. Its message names the reason and the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
