import type { ErrorStep } from '../lti/step.ts';

export const ltiTexts = {
  progress: 'Opening…',
  choose: 'Choose a machine',
  class: (title: string) => `Class: ${title}`,
  classAdvice: 'The page of the class opens in a window of its own.',
  openClass: 'Open the class',
  opened: 'The class is open in another window. To open it again, reload your course.',
  select: 'What should the link open?',
  selectAdvice: 'A link gives no rights: your students see what the access rules allow.',
  classes: 'Classes',
  machines: 'Machines',
  nothing: 'There is no class and no machine that you may see. Ask your administrator for an access rule.',
  add: 'Add',
  support: ({ code, requestId }: ErrorStep) => `Error ${code}. Support number: ${requestId}`,
  unreachable: 'Porthole is not responding. Go back to your course and open the link again.',
} as const;
