import { z } from 'zod';
import { maxAddressees } from '@porthole/shared/class/messages';
import { classText } from '@porthole/shared/class/texts';

const users = z.array(z.string().min(1).max(256)).min(1).max(maxAddressees);

/** What an instructor can do for a class. Each action can be repeated without harm. */
export const classAction = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('pause'),
    seconds: z.number().int().min(10).max(7200).default(600),
    text: classText.default(''),
  }),
  z.strictObject({ action: z.literal('resume') }),
  z.strictObject({ action: z.literal('message'), text: classText.min(1), users: users.optional() }),
  /** Lowers raised hands: the members have been helped. */
  z.strictObject({ action: z.literal('lower'), users }),
  z.strictObject({ action: z.literal('start') }),
  z.strictObject({ action: z.literal('end'), seconds: z.number().int().min(0).max(600).default(60) }),
  z.strictObject({ action: z.literal('cancel_end') }),
  /** Shows the screen of a machine to the members. */
  z.strictObject({
    action: z.literal('show'),
    cluster: z.string().min(1).max(64),
    vmid: z.number().int().min(100).max(999_999_999),
    seconds: z.number().int().min(10).max(14_400).default(3600),
  }),
  z.strictObject({ action: z.literal('stop_showing') }),
]);
export type ClassAction = z.infer<typeof classAction>;
export type ClassActionName = ClassAction['action'];
