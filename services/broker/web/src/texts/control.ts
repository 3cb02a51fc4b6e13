/** The texts about control of a machine. */
export const controlTexts = {
  label: 'Control of the machine',
  ask: 'Ask for it back',
  asked: (by: string | undefined) =>
    by === undefined ? 'You have asked for control.' : `You have asked ${by} for control.`,
  take: 'Take control',
  handBack: 'Hand back',
} as const;

interface Control {
  readonly mine: boolean;
  readonly elsewhere: boolean;
  readonly by: string | undefined;
  readonly askedBy: string | undefined;
}

export function controlTitle({ mine, elsewhere, by }: Control): string {
  if (elsewhere) return 'You have control in another window.';
  return mine ? 'You have control.' : `${by ?? 'Another user'} has control.`;
}

/** What that means for this user. */
export function controlMeaning({ mine, elsewhere, askedBy }: Control): string {
  if (elsewhere) return 'Your keyboard and mouse do not reach the machine here.';
  if (!mine) return 'Your keyboard and mouse do not reach the machine.';
  return askedBy === undefined
    ? 'Input of others does not reach the machine.'
    : `${askedBy} asks for it back.`;
}
