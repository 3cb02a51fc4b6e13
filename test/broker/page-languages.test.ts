import { closeBrokers, somePages, startBroker } from './rig.ts';

afterEach(closeBrokers);

const pages = {
  ...somePages,
  'index.html':
    '<!doctype html>\n<html lang="en">\n  <head>\n    <title>Porthole</title>\n  </head>\n' +
    '<noscript>Porthole needs JavaScript. Enable it for this site.</noscript></html>',
  'assets/language-de-1a2b.js': 'export const de = {};',
};

const tagOf = (text: string) => /<html[^>]*>/.exec(text)?.[0];

describe('the language of a page', () => {
  test.each([
    ['de', '<html lang="de" dir="ltr">'],
    ['de-AT,de;q=0.9,en;q=0.8', '<html lang="de" dir="ltr">'],
    ['en-GB,en;q=0.9,de;q=0.8', '<html lang="en">'],
    ['ja, fr;q=0.5', '<html lang="fr" dir="ltr">'],
    ['ja', '<html lang="en">'],
    ['*', '<html lang="en">'],
    [';;q=,,é', '<html lang="en">'],
  ])('is what the browser accepts: %s', async (accepted, tag) => {
    const rig = await startBroker({ pages });
    const answer = await rig.ask('/', {
      headers: { 'accept-language': Buffer.from(accepted).toString('latin1') },
    });
    expect([answer.status, tagOf(answer.text)]).toEqual([200, tag]);
  });

  test.each([
    ['porthole-language=fr', '<html lang="fr" dir="ltr">'],
    ['porthole-language=en', '<html lang="en">'],
    ['porthole-language=xx', '<html lang="de" dir="ltr">'],
    ['porthole-language=__proto__', '<html lang="de" dir="ltr">'],
  ])('is what the user has chosen, if that exists: %s', async (cookie, tag) => {
    const rig = await startBroker({ pages });
    const answer = await rig.ask('/', { headers: { 'accept-language': 'de', cookie } });
    expect(tagOf(answer.text)).toBe(tag);
  });

  test('keeps caches from giving a page to users of another language', async () => {
    const rig = await startBroker({ pages });
    const german = await rig.ask('/', { headers: { 'accept-language': 'de' } });
    const english = await rig.ask('/', { headers: { 'if-none-match': german.headers.etag ?? '' } });
    expect(german.headers.vary).toContain('accept-language, cookie');
    expect(english.status).toBe(200);
    const asset = await rig.ask('/assets/app-1a2b.js', { headers: { 'accept-language': 'de' } });
    expect(asset.headers.vary).not.toContain('accept-language');
  });

  test('comes with its words: the browser begins to load their file with the page', async () => {
    const rig = await startBroker({ pages });
    const { text } = await rig.ask('/', { headers: { 'accept-language': 'de' } });
    expect(text).toContain('<link rel="modulepreload" href="./assets/language-de-1a2b.js" />');
    expect(text).toContain(
      '<noscript>Porthole braucht JavaScript. Aktivieren Sie es für diese Website.</noscript>',
    );
    expect((await rig.ask('/')).text).not.toContain('modulepreload');
  });

  test('is also that of the page for unknown addresses', async () => {
    const rig = await startBroker({ pages });
    const { status, text } = await rig.ask('/nothing', { headers: { 'accept-language': 'de' } });
    expect([status, tagOf(text)]).toEqual([404, '<html lang="de" dir="ltr">']);
    expect(text).toContain('<h1>Seite nicht gefunden</h1>');
  });
});
