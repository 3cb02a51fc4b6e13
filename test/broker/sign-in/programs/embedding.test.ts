import { forAnna, startPortal, type Portal } from './portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.stop());

describe('requests of programs', () => {
  describe('for a page that they embed', () => {
    const post = (path: string, body: object, pass?: string) =>
      portal.rig.ask(path, {
        method: 'POST',
        body,
        headers: { 'sec-fetch-site': 'same-origin', ...(pass ? { 'x-porthole-embed-token': pass } : {}) },
      });
    async function passOf(wish: object = forAnna): Promise<{ code: string; pass: string }> {
      const { page } = (await portal.ask(wish, await portal.sign())).json as { page: string };
      const code = new URL(page).hash.replace('#code=', '');
      const answer = await post('/api/v1/embed-tokens', { code });
      return { code, pass: answer.json.token as string };
    }

    it('return a code that works once, for a token that opens the console repeatedly', async () => {
      const { code, pass } = await passOf();
      expect((await post('/api/v1/embed-tokens', { code })).json.code).toBe('embed_token_invalid');
      for (let time = 0; time < 3; time += 1) {
        const answer = await post('/api/v1/consoles/proxmox/101/grants', { mode: 'control' }, pass);
        expect(answer.status).toBe(201);
        expect(answer.json.page).not.toContain('code=');
      }
    });

    it('return a token for only that console and mode', async () => {
      const { pass } = await passOf({ ...forAnna, mode: 'view' });
      expect((await post('/api/v1/consoles/proxmox/101/grants', { mode: 'view' }, pass)).status).toBe(201);
      expect((await post('/api/v1/consoles/proxmox/101/grants', { mode: 'control' }, pass)).status).toBe(403);
      expect((await post('/api/v1/consoles/proxmox/102/grants', { mode: 'view' }, pass)).status).toBe(403);
      const act = { mode: 'view', onBehalfOf: { id: '2', name: 'adam' } };
      expect((await post('/api/v1/consoles/proxmox/101/grants', act, pass)).status).toBe(403);
      expect((await post('/api/v1/me', {}, pass)).status).not.toBe(200);
    });

    it('return a token that lists only its own machine', async () => {
      const { pass } = await passOf();
      const list = await portal.rig.ask('/api/v1/consoles', { headers: { 'x-porthole-embed-token': pass } });
      expect(list.json.consoles.map(({ vmid }: { vmid: number }) => vmid)).toEqual([101]);
    });

    it.each(['', 'x', 'A'.repeat(43)])('do not make unknown tokens valid: %p', async (pass) => {
      const answer = await post('/api/v1/embed-tokens', { code: pass });
      expect(answer.json.code).toBe('embed_token_invalid');
      const grant = await portal.rig.ask('/api/v1/consoles/proxmox/101/grants', {
        method: 'POST',
        body: { mode: 'view' },
        headers: { 'sec-fetch-site': 'same-origin', 'x-porthole-embed-token': pass || 'none' },
      });
      expect(grant.json.code).toBe('embed_token_invalid');
    });
  });
});
