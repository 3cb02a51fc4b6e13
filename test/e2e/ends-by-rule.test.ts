import { WebSocket } from 'ws';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { holdGrant, isOver, isTold, openAgain, useBrowser, useScene } from './scene.ts';
import { signInHere } from './person.ts';

describeWith('chromium')('a console that ends because of a rule', () => {
  const browser = useBrowser();

  describe('with room for one console', () => {
    const scene = useScene(browser, { limits: { consolesPerUser: 1, consolesPerMachine: 1 } });

    test('the broker says it when a second one is asked for', async () => {
      const { student } = scene;
      await student.openConsole(100);
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await tab.reads('You have too many consoles open. Close one first.');
      await tab.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
      await student.page.goto(scene.stack.origin);
      await eventually('the first one is closed', () => scene.stack.proxmox.openConsoles() === 0);
      await openAgain(tab);
      await tab.reaches('open');
      await tab.leave();
    });

    test('4429: the relay says it when two were granted at the same time', async () => {
      const { student } = scene;
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      await granted;
      const tab = await student.anotherTab();
      await tab.openConsole(101);
      release();
      await isTold(student, 'user_limit');
      await isOver(student, { openAgain: true });
      await tab.leave();
    });

    test('4429: somebody else has the machine open', async () => {
      const { student } = scene;
      const instructor = await scene.somebody('instructor');
      await instructor.openConsole(100);
      await student.visitConsole(100);
      await isTold(student, 'machine_limit');
      await isOver(student, { openAgain: true });
      await instructor.page.goto(scene.stack.origin);
      await eventually('it is free', () => scene.stack.proxmox.openConsoles() === 0);
      await openAgain(student);
      await student.reaches('open');
    });
  });

  describe('with a relay for one console', () => {
    const scene = useScene(browser, { limits: { consolesPerRelay: 1 } });

    test('4429: the relay is full', async () => {
      const { student } = scene;
      await student.openConsole(100);
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await isTold(tab, 'relay_full');
      await isOver(tab, { openAgain: true });
      await tab.leave();
    });
  });

  describe('with one opening at a time and little patience', () => {
    const scene = useScene(browser, {
      limits: { queueSeconds: 1 },
      relayCluster: { opensPerNode: 1 },
      deadlines: { console: 20_000 },
    });

    test('4503: the node has no free slot in time; the page tries again', async () => {
      const { student, stack } = scene;
      stack.proxmox.migrate(101, 'pve1');
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await student.page.getByText('Requesting the console from Proxmox', { exact: true }).waitFor();
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await tab.page.getByText('You are next in the queue', { exact: true }).waitFor();
      await isTold(tab, 'queue_timeout');
      await tab.page.getByText(/Trying again (in \d+ s|now)/).waitFor();
      await student.page.goto(stack.origin);
      await tab.reaches('open');
      await tab.leave();
    });
  });

  describe('with little time', () => {
    const scene = useScene(browser, { limits: { sessionSeconds: 1 } });

    test('4410: its time is over', async () => {
      const { student } = scene;
      await student.openConsole(100);
      await isTold(student, 'time_limit');
      await isOver(student, { openAgain: false });
    });
  });

  describe('with nobody at the keyboard', () => {
    const scene = useScene(browser, { limits: { idleSeconds: 1 } });

    test('4408: it was idle; one key opens it again', async () => {
      const { student } = scene;
      await student.openConsole(100);
      await isTold(student, 'idle');
      await isOver(student, { openAgain: true });
      await student.page.keyboard.press('Enter');
      await student.reaches('open');
    });
  });

  describe('of sign-ins and grants', () => {
    const scene = useScene(browser);

    test('4423: signing out in another tab ends all consoles of this sign-in, and no other', async () => {
      const { student } = scene;
      const other = await scene.somebody('student');
      await other.openConsole(100);
      await student.openConsole(100);
      const list = await student.anotherTab();
      await list.page.goto(scene.stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await list.page.getByText('You have signed out.').waitFor();
      await isTold(student, 'signed_out');
      await student.reaches('ended');
      await student.page.getByText('Sign in again to continue.', { exact: true }).waitFor();
      await other.reaches('open');
      expect(scene.stack.proxmox.openConsoles()).toBe(1);
      await student.page.getByRole('link', { name: 'Sign in' }).click();
      await signInHere(student);
      await student.reaches('open');
    });

    test('4423: a grant that was not used yet is worth nothing after signing out', async () => {
      const { student, stack } = scene;
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      await granted;
      const list = await student.anotherTab();
      await list.page.goto(stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await list.page.getByText('You have signed out.').waitFor();
      release();
      await isTold(student, 'signed_out');
      expect(stack.proxmox.openConsoles()).toBe(0);
    });

    test('4423: a console that is still being opened ends, too', async () => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await student.reaches('opening');
      const list = await student.anotherTab();
      await list.page.goto(stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await isTold(student, 'signed_out');
      stack.proxmox.refuseVncproxy(100, null);
    });

    test('4401: the grant was used already; the page asks for another one, once', async () => {
      const { student, stack } = scene;
      const asked: string[] = [];
      student.page.on('request', (request) => {
        if (request.method() === 'POST') asked.push(request.url());
      });
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      const grant = JSON.parse(await granted) as { url: string; protocols: string[] };
      const thief = new WebSocket(grant.url, grant.protocols, { origin: stack.origin });
      await eventually('somebody else used it', () => stack.proxmox.openConsoles(100) === 1);
      release();
      await student.closedWith(4401);
      await student.reaches('open');
      expect(student.sockets()).toBe(2);
      expect(asked.filter((url) => url.endsWith('/grants'))).toHaveLength(2);
      thief.terminate();
    });

    test('4403: the page was opened under a name that is not the configured one', async () => {
      const { student, stack } = scene;
      const origin = stack.origin.replace('127.0.0.1', 'localhost');
      await student.page.goto(origin);
      await signInHere(student);
      await student.page.locator('body[data-page=machines]').waitFor();
      await student.page.goto(`${origin}/console/lab/100`);
      await isTold(student, 'origin_not_allowed');
      await isOver(student, { openAgain: false });
      // To be there under another name was the point.
      expect(student.faults.splice(0).filter((fault) => !fault.startsWith(`asked ${origin}`))).toEqual([]);
    });
  });
});
