import { z } from 'zod';
import { lifetimes, storeKeys } from '../store/keys.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecordDeps } from './class-record.ts';
import { classText, shownName } from './texts.ts';

/** The newest messages of a class. More than an instructor sends while they are kept. */
const maxMessages = 20;
/** The users to whom one message is addressed. */
export const maxAddressees = 200;

/** A message of an instructor to the class or to some of its members. */
const classMessage = z.object({
  id: z.string().min(1).max(32),
  /** When it was sent, in milliseconds since the epoch. */
  at: z.number().int(),
  text: classText.min(1),
  /** The instructor, if the configuration allows to name operators. */
  by: shownName.optional(),
  /** User ids. Default: all members. */
  users: z.array(z.string().min(1).max(256)).max(maxAddressees).optional(),
});
export type ClassMessage = z.infer<typeof classMessage>;

const classMessages = z.object({ version: z.literal(1), messages: z.array(classMessage).max(maxMessages) });

const messagesRecord = {
  purpose: 'porthole class messages v1',
  schema: classMessages,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, z.infer<typeof classMessages>>;

/** The messages that members' consoles still show if they open now. */
export interface ClassMessages {
  /** In the order in which they were sent. Can contain messages that are older than `lifetimes.classMessage`. */
  read(className: string): Promise<readonly ClassMessage[]>;
  add(className: string, message: ClassMessage): Promise<void>;
}

export function createClassMessages(deps: ClassRecordDeps): ClassMessages {
  const record = createClassRecord(deps, 'messages', messagesRecord);
  return {
    read: async (className) => (await record.read(className))?.messages ?? [],
    add: (className, message) =>
      record.change(
        className,
        (current) => ({
          version: 1,
          messages: [
            ...(current?.messages ?? []).filter(({ at }) => message.at - at < lifetimes.classMessage),
            message,
          ].slice(-maxMessages),
        }),
        lifetimes.classMessage,
      ),
  };
}
