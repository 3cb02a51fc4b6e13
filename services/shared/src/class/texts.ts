import { z } from 'zod';
import { classLimits } from './limits.ts';

/** Text of an instructor: line breaks and tabs are its only control characters. */
export const classText = z
  .string()
  .trim()
  .max(classLimits.text)
  // oxlint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, 'must not contain control characters');

/** Text of a member who asks for help. One line. */
export const helpText = z.string().max(classLimits.helpText);

/** The name that members see. */
export const shownName = z.string().min(1).max(classLimits.name);
