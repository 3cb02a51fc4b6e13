/** The texts of classes on the consoles of their members. */
export const pausedTexts = {
  title: 'The class is paused',
  /** Why typing does nothing. */
  reason: 'Keyboard and mouse do not reach the machine until the class goes on.',
  goesOn: 'Goes on by itself in',
} as const;

export function pausedTitle(by: string | undefined): string {
  return by === undefined ? pausedTexts.title : `${by} has paused the class`;
}

export const messageTexts = {
  from: (by: string | undefined) =>
    by === undefined ? 'Message from your instructor' : `Message from ${by}`,
  dismiss: 'Dismiss',
  toReach: 'Press Control, Alt and Shift together to reach it.',
} as const;

export const helpTexts = {
  tool: 'Raise hand',
  toolRaised: 'Your hand is raised',
  title: 'Ask for help',
  label: 'What is it about? (optional)',
  advice: 'Your instructor sees your name, your machine and this text.',
  raise: 'Raise hand',
  change: 'Change text',
  lower: 'Lower hand',
} as const;

/** The place of a raised hand: 1 is first. */
export function handText(position: number | undefined): string {
  if (position === undefined) return 'Your hand is raised.';
  return position === 1
    ? 'Your hand is raised. You are next.'
    : `Your hand is raised. ${position === 2 ? '1 other is' : `${position - 1} others are`} before you.`;
}

/** What is shown to the class. */
export const shownTexts = {
  title: (name: string, by: string | undefined) =>
    by === undefined ? `You are shown ${name}` : `${by} shows ${name}`,
  mine: (by: string | undefined) =>
    by === undefined ? 'Your screen is shown to the class.' : `${by} shows your screen to the class.`,
  instead: 'Large',
  beside: 'Beside my console',
  hide: 'Hide',
  showAgain: 'Show again',
  opening: 'Opening the picture…',
} as const;
