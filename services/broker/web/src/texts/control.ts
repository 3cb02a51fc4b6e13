/** The texts about control of a machine. */
export const controlTexts = {
  label: 'Control of the machine',
  ask: 'Ask for it back',
  asked: (by: string | undefined) =>
    by === undefined ? 'You have asked for control.' : `You have asked ${by} for control.`,
  take: 'Take control',
  handBack: 'Hand back',
} as const;

/** Who has control, and what that means for this user. */
export function controlledText(control: {
  readonly mine: boolean;
  readonly by: string | undefined;
  readonly askedBy: string | undefined;
}): string {
  const { mine, by, askedBy } = control;
  if (mine && askedBy !== undefined) return `You have control. ${askedBy} asks for it back.`;
  if (mine) return 'You have control. Input of others does not reach the machine.';
  return `${by ?? 'Another user'} has control. Your keyboard and mouse do not reach the machine.`;
}
