/**
 * What this relay has of a machine's screen. `dialling`: a session opens a console of its own. `pass_through`: it streams
 * that console. `adopting`: a shared screen takes over that console, or opens one. `healing`: the screen has lost its
 * console and opens another one. `closed` is final.
 */
export const sharingStates = ['dialling', 'pass_through', 'adopting', 'shared', 'healing', 'closed'] as const;
export type SharingState = (typeof sharingStates)[number];

/** From `adopting`, `shared` and `healing` back to `pass_through`, if the session kept its console. */
export const nextSharingStates: Readonly<Record<SharingState, readonly SharingState[]>> = {
  dialling: ['pass_through', 'adopting', 'closed'],
  pass_through: ['adopting', 'closed'],
  adopting: ['shared', 'pass_through', 'closed'],
  shared: ['healing', 'adopting', 'pass_through', 'closed'],
  healing: ['shared', 'adopting', 'pass_through', 'closed'],
  closed: [],
};
