import type { RaisedHand } from '@porthole/shared/class/help-queue';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { User } from '../identity/user.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { VisibleClass } from './class-permissions.ts';
import type { ClassSnapshot } from './class-snapshots.ts';
import type { Lessons } from './lessons.ts';

/** Seats in one response. */
export const maxSeats = 500;
/** A broker that starts machines writes the progress more often than this. */
const startStaleMs = 90_000;

/** What the API returns of a class. Members see themselves only. */
export function describeClass(
  visible: VisibleClass,
  facts: {
    readonly user: User;
    readonly snapshot: ClassSnapshot;
    readonly sessions: readonly SessionRecord[];
    readonly lessons: Lessons | undefined;
    readonly now: number;
  },
) {
  const { compiled, role, may, machines } = visible;
  const { user, snapshot, sessions, lessons, now } = facts;
  const { paused, ending, showing, starting } = snapshot;
  const hands = snapshot.hands.map((hand, index) => ({ hand, position: index + 1 }));
  const shownHands = role === 'instructor' ? hands : hands.filter(({ hand }) => hand.user.id === user.id);
  const members = membersByMachine(compiled.name, sessions);
  const holders = new Map(sessions.flatMap((each) => (each.hasControl ? [[keyOf(each), each.user]] : [])));
  return {
    name: compiled.name,
    title: compiled.title,
    role,
    may,
    ...(lessons ? { lesson: describeLessons(lessons) } : {}),
    ...(role === 'instructor' && Object.keys(compiled.timetable).length > 0
      ? { timetable: compiled.timetable }
      : {}),
    ...(paused ? { paused: { until: iso(paused.until), text: paused.text, ...by(paused) } } : {}),
    ...(ending ? { ending: { at: iso(ending.at), ...by(ending) } } : {}),
    ...(showing
      ? {
          shown: {
            cluster: showing.cluster,
            vmid: showing.vmid,
            name: showing.name,
            until: iso(showing.until),
            ...by(showing),
          },
        }
      : {}),
    ...(starting && role === 'instructor'
      ? {
          starting: {
            total: starting.total,
            started: starting.started,
            failed: starting.failed,
            running:
              starting.started + starting.failed < starting.total && now - starting.updatedAt < startStaleMs,
          },
        }
      : {}),
    hands: shownHands.map(({ hand, position }) => ({ user: hand.user, ...describeHand(hand, position) })),
    seats: machines.slice(0, maxSeats).map((machine) => {
      const session = members
        .get(keyOf(machine))
        ?.find((each) => role !== 'member' || each.user.id === user.id);
      const owner = compiled.ownerOf(machine);
      const member = session?.user ?? (owner === undefined ? undefined : { name: owner });
      const holder = holders.get(keyOf(machine));
      const raised = session && shownHands.find(({ hand }) => hand.user.id === session.user.id);
      return {
        machine: describeMachine(machine),
        ...(member ? { member } : {}),
        state: machine.status !== 'running' ? 'off' : session ? 'open' : 'free',
        ...(holder && role === 'instructor'
          ? { control: { user: holder, mine: holder.id === user.id } }
          : {}),
        ...(raised ? { help: describeHand(raised.hand, raised.position) } : {}),
      };
    }),
    ...(machines.length > maxSeats ? { truncated: true } : {}),
  };
}

/** The consoles of members, oldest first. Those of instructors and observers leave a seat free. */
function membersByMachine(
  className: string,
  sessions: readonly SessionRecord[],
): ReadonlyMap<string, readonly SessionRecord[]> {
  const found = new Map<string, SessionRecord[]>();
  for (const session of sessions) {
    if (!session.classes?.some(({ name, role }) => name === className && role === 'member')) continue;
    const key = keyOf(session);
    found.set(key, [...(found.get(key) ?? []), session]);
  }
  return found;
}

const keyOf = ({ cluster, vmid }: { readonly cluster: string; readonly vmid: number }) =>
  `${cluster}/${vmid}`;
const iso = (time: number) => new Date(time).toISOString();
const by = ({ by: name }: { readonly by?: string | undefined }) => (name === undefined ? {} : { by: name });

function describeMachine(machine: Machine) {
  const { cluster, vmid, type, node } = machine;
  return { cluster, vmid, name: displayNameOf(machine), type, node };
}

function describeHand({ since, text }: RaisedHand, position: number) {
  return { position, since: iso(since), text };
}

function describeLessons({ now, next }: Lessons) {
  return {
    ...(now ? { now: now.until === undefined ? {} : { until: iso(now.until) } } : {}),
    ...(next
      ? { next: { from: iso(next.from), ...(next.until === undefined ? {} : { until: iso(next.until) }) } }
      : {}),
  };
}
