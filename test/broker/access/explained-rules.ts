/** Rules for tests that explain them, as text of a rules file: one for each kind of match. */
export const explainedRules = `
  - { name: own, who: { groups: [class-a] }, which: { names: ['lab-{user}'] }, allow: [control], clipboard: in }
  - { name: by day, who: { users: [ben] }, which: { all: true }, allow: [view], when: { timeZone: UTC, hours: 08:00-10:00 } }
  - { name: admins, who: { users: [ada] }, which: { tags: [lab] }, allow: [control, explain] }
  - { name: portal, who: { programs: [portal] }, which: { all: true }, allow: [view] }
`;
