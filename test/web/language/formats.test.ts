import type { Language } from '@porthole/shared/language/languages';
import { switchLanguage } from '../../../services/broker/web/src/language/current-language.ts';
import { listedNames } from '../../../services/broker/web/src/language/formats.ts';
import { layoutTitle } from '../../../services/broker/web/src/console/keyboard/layouts/layout-title.ts';
import { t } from '../../../services/broker/web/src/language/t.ts';
import { messageForClose } from '../../../services/broker/web/src/texts/console.ts';
import { countText, staleText } from '../../../services/broker/web/src/texts/machines.ts';
import { spokenTime } from '../../../services/broker/web/src/texts/recordings.ts';
import { closeText, problemTitle } from '../../../services/broker/web/src/texts/server-texts.ts';
import { observersText, trafficText } from '../../../services/broker/web/src/texts/sessions.ts';

afterEach(() => switchLanguage('en'));

const machines = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `m${index}`, status: 'running' }));

test.each([
  ['en', 1, '1 machine, 1 running'],
  ['en', 1200, '1,200 machines, 1,200 running'],
  ['de', 1200, '1.200 Maschinen, 1.200 in Betrieb'],
  ['pl', 1, '1 maszyna, działające: 1'],
  ['pl', 3, '3 maszyny, działające: 3'],
  ['pl', 5, '5 maszyn, działające: 5'],
  ['pl', 22, '22 maszyny, działające: 22'],
  ['ar', 2, 'جهازان، قيد التشغيل: 2'],
  ['ar', 5, '5 أجهزة، قيد التشغيل: 5'],
  ['ar', 11, '11 جهازًا، قيد التشغيل: 11'],
  ['ar', 100, '100 جهاز، قيد التشغيل: 100'],
] as const)('plurals and numbers are those of %s: %d machines', async (language, count, text) => {
  await switchLanguage(language);
  expect(countText(machines(count))).toBe(text);
});

test.each([
  ['en', 'Ann, Ben and Carl', 'Ann, Ben and 1 other are observing', '1.2 MB', '1 hour 2 seconds'],
  ['fr', 'Ann, Ben et Carl', 'Ann, Ben et 1 autre observent', '1,2 Mo', '1 heure 2 secondes'],
  ['nl', 'Ann, Ben en Carl', 'Ann, Ben en 1 andere persoon kijken mee', '1,2 MB', '1 uur 2 seconden'],
] as const)('lists, units and durations are those of %s', async (language, names, observers, bytes, time) => {
  await switchLanguage(language);
  expect(listedNames(['Ann', 'Ben', 'Carl'])).toBe(names);
  expect(observersText({ by: ['Ann', 'Ben'], others: 1 })).toBe(observers);
  expect(trafficText({ toViewer: 1_200_000, toMachine: 0 })).toBe(bytes);
  // Some languages have a no-break space before the unit.
  expect(spokenTime(3_602_000).replaceAll('\u00A0', ' ')).toBe(time);
});

test.each([
  ['en', 'German (Switzerland)', 'Polish (programmers)', 'English (UK)'],
  ['it', 'Tedesco (Svizzera)', 'Polacco (programmatori)', 'Inglese (UK)'],
] as const)('keyboard layouts have names in %s', async (language, swiss, polish, british) => {
  await switchLanguage(language);
  expect([layoutTitle('ch'), layoutTitle('pl'), layoutTitle('gb')]).toEqual([swiss, polish, british]);
});

test('a message that is kept changes its language', async () => {
  const message = messageForClose('idle', '');
  expect(message.title).toBe('The console was closed due to inactivity.');
  await switchLanguage('de');
  expect(message.title).toBe('Die Konsole wurde wegen Inaktivität geschlossen.');
  expect(message.advice).toBe('Die Maschine läuft noch. Öffnen Sie die Konsole wieder, um fortzufahren.');
});

describe('texts of the server', () => {
  const german: Language = 'de';

  test('are translated by the code of a problem, unless they name something', async () => {
    const full = { code: 'relay_full', title: 'Too many consoles are open. Try again soon.' } as const;
    expect(problemTitle(full)).toBe(full.title);
    await switchLanguage(german);
    expect(problemTitle(full)).toBe('Es sind zu viele Konsolen offen. Versuchen Sie es bald erneut.');
    expect(problemTitle({ code: 'power_timeout' })).toMatch(/^Die Maschine wurde nicht rechtzeitig/);
    expect(problemTitle({ code: 'ended_by_operator', title: 'Ended by Ina Beck.' })).toBe(
      'Beendet von Ina Beck.',
    );
    expect(problemTitle({ code: 'relay_full', title: 'Of a newer broker' })).toBe('Of a newer broker.');
    expect(problemTitle({ code: 'network' })).toBeUndefined();
  });

  test('are recognised as the reason of a close frame', async () => {
    expect(closeText('too_many', '')).toBe('Too many consoles are open.');
    await switchLanguage(german);
    expect(closeText('too_many', '')).toBe('Es sind zu viele Konsolen offen.');
    expect(closeText('too_many', 'Too many consoles of this machine are open.')).toBe(
      'Es sind zu viele Konsolen dieser Maschine offen.',
    );
    expect(closeText('too_big', 'Too much text was pasted at once.')).toBe(
      'Es wurde zu viel Text auf einmal eingefügt.',
    );
    expect(closeText('idle', 'Something new')).toBe('Something new.');
  });
});

test('a list that is out of date says since when', async () => {
  await switchLanguage('es');
  expect(staleText({ staleSeconds: 120 })).toBe(
    'Proxmox no responde. Esta lista es de hace 2 minutos. Porthole sigue intentándolo.',
  );
});

test('a language that is chosen last stays, also if another one arrives later', async () => {
  await Promise.all([switchLanguage('fr'), switchLanguage('pl'), switchLanguage('en')]);
  expect(t('language')).toBe('Language');
});
