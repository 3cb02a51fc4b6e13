import * as fc from 'fast-check';
import type { Subject, Target } from '@porthole/broker/access/subject';
import { days, rights, type AccessDocument, type AccessRule } from '@porthole/shared/config/access-schema';

const word = fc.constantFrom('a', 'b', 'lab', 'Lab-1', 'anna', 'anna-1', 'lab-b', '*', '?');
const entry = fc.oneof(word, fc.constantFrom('{user}', '{group}', 'lab-{user}'));
const pattern = fc.oneof(
  entry,
  fc.constantFrom('{user}-*', '*-{user}', '{group}-?', 'l*-{group}', '{user}?'),
);
const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
const few = list(word);
const fewEntries = list(entry);
const fewPatterns = list(pattern);
const some = <T>(all: readonly T[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 });
const anyWindow = fc.record(
  {
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Apia'),
    days: some(days),
    hours: fc.constantFrom('00:00-12:00', '09:00-09:30', '22:00-07:30'),
  },
  { requiredKeys: ['timeZone', 'days'] },
);
const anySessionFields = {
  clipboard: fc.constantFrom('both' as const, 'in' as const, 'out' as const, 'none' as const),
  when: fc.array(anyWindow, { minLength: 1, maxLength: 2 }),
  limits: fc.record(
    {
      sessionSeconds: fc.integer({ min: 1, max: 4000 }),
      idleSeconds: fc.integer({ min: 1, max: 10 }),
      parkViewSeconds: fc.integer({ min: 0, max: 10 }),
      parkControlSeconds: fc.integer({ min: 0, max: 10 }),
      updatesPerSecond: fc.integer({ min: 1, max: 10 }),
    },
    { requiredKeys: [] },
  ),
  record: fc.record(
    {
      mode: fc.constantFrom('required' as const, 'try' as const),
      keys: fc.boolean(),
      clipboard: fc.boolean(),
      consent: fc.boolean(),
      keepDays: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ['mode', 'keys', 'clipboard', 'consent'] },
  ),
};
const whichFields = {
  clusters: few,
  nodes: few,
  pools: fewEntries,
  tags: fewEntries,
  types: some(['qemu', 'lxc'] as const),
  vmids: fc.array(fc.oneof(fc.integer({ min: 100, max: 110 }), fc.constant('103-106')), { minLength: 1 }),
};
const anyWhich = fc
  .record({ ...whichFields, names: fewPatterns, all: fc.constant(true as const) }, { requiredKeys: [] })
  .filter((which) => Object.keys(which).length > 0);
export const anyRule: fc.Arbitrary<AccessRule> = fc.record(
  {
    who: fc
      .record(
        {
          users: few,
          groups: few,
          programs: few,
          claims: fc.dictionary(word, few, { minKeys: 1, maxKeys: 2 }),
          everyone: fc.constant(true as const),
        },
        { requiredKeys: [] },
      )
      .filter((who) => Object.keys(who).length > 0),
    which: anyWhich,
    allow: some(rights),
    ...anySessionFields,
  },
  { requiredKeys: ['who', 'which', 'allow'] },
);
export const anyDocument: fc.Arbitrary<AccessDocument> = fc.record({
  access: fc.array(anyRule, { maxLength: 4 }),
  classes: fc.array(
    fc.record(
      {
        name: fc.constantFrom('one', 'two'),
        members: fc.record({ users: few, groups: few }),
        instructors: fc.record({ users: few }),
        machines: fc
          .record({ ...whichFields, pools: few, tags: few }, { requiredKeys: [] })
          .filter((which) => Object.keys(which).length > 0),
        own: fc.record({ names: fewPatterns, tags: fewEntries }, { requiredKeys: ['names'] }),
        allow: some(rights),
        ...anySessionFields,
      },
      { requiredKeys: ['name', 'members', 'machines', 'own', 'allow'] },
    ),
    { maxLength: 2 },
  ),
});
export const anySubject: fc.Arbitrary<Subject> = fc.record(
  {
    name: word,
    groups: fc.array(word, { maxLength: 3 }),
    claims: fc.dictionary(word, few, { maxKeys: 2 }),
    kind: fc.constantFrom('person' as const, 'program' as const),
  },
  { requiredKeys: ['name', 'groups'] },
);
export const anyTarget: fc.Arbitrary<Target> = fc.record({
  cluster: word,
  node: word,
  type: fc.constantFrom('qemu' as const, 'lxc' as const),
  vmid: fc.integer({ min: 100, max: 110 }),
  name: fc.option(word, { nil: undefined }),
  pool: fc.option(word, { nil: undefined }),
  tags: fc.array(word, { maxLength: 3 }),
});
export const anyTime = fc.integer({ min: Date.UTC(2026, 5, 1), max: Date.UTC(2026, 5, 8) });
