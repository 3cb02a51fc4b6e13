import { WebSocket } from 'ws';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { holdGrant, showsEnd, showsError, openAgain, useBrowser, useScene } from './scene.ts';
import { signInHere } from './browser-user.ts';

describeWith('chromium')('a console, at a limit', () => {
  const browser = useBrowser();

  describe('of one console per user and machine', () => {
    const scene = useScene(browser, { limits: { consolesPerUser: 1, consolesPerMachine: 1 } });

    test('the broker refuses a second console', async () => {
      const { student } = scene;
      await student.openConsole(100);
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await tab.hasHeading('You have too many consoles open. Close one first.');
      await tab.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
      await student.page.goto(scene.stack.origin);
      await eventually('the first console is closed', () => scene.stack.proxmox.openConsoles() === 0);
      await openAgain(tab);
      await tab.waitForState('open');
      await tab.close();
    });

    test('4429: the relay refuses one of two consoles that were granted at the same time', async () => {
      const { student } = scene;
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      await granted;
      const tab = await student.anotherTab();
      await tab.openConsole(101);
      release();
      await showsError(student, 'user_limit');
      await showsEnd(student, { canReopen: true });
      await tab.close();
    });

    test('4429: another user has the machine open', async () => {
      const { student } = scene;
      const instructor = await scene.signInAs('instructor');
      await instructor.openConsole(100);
      await student.visitConsole(100);
      await showsError(student, 'machine_limit');
      await showsEnd(student, { canReopen: true });
      await instructor.page.goto(scene.stack.origin);
      await eventually('the machine is free', () => scene.stack.proxmox.openConsoles() === 0);
      await openAgain(student);
      await student.waitForState('open');
    });
  });

  describe('of one console per relay', () => {
    const scene = useScene(browser, { limits: { consolesPerRelay: 1 } });

    test('4429: the relay is full', async () => {
      const { student } = scene;
      await student.openConsole(100);
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await showsError(tab, 'relay_full');
      await showsEnd(tab, { canReopen: true });
      await tab.close();
    });
  });

  describe('of one opening per node and a short queue', () => {
    const scene = useScene(browser, {
      limits: { queueSeconds: 1 },
      relayCluster: { opensPerNode: 1 },
      deadlines: { console: 20_000 },
    });

    test('4503: the node has no free slot in time; the page retries', async () => {
      const { student, stack } = scene;
      stack.proxmox.migrate(101, 'pve1');
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await student.page.getByText('Requesting the console from Proxmox', { exact: true }).waitFor();
      const tab = await student.anotherTab();
      await tab.visitConsole(101);
      await tab.page.getByText('You are next in the queue', { exact: true }).waitFor();
      await showsError(tab, 'queue_timeout');
      await tab.page.getByText(/Trying again (in \d+ s|now)/).waitFor();
      await student.page.goto(stack.origin);
      await tab.waitForState('open');
      await tab.close();
    });
  });

  describe('of its duration', () => {
    const scene = useScene(browser, { limits: { sessionSeconds: 1 } });

    test('4410: the time is over', async () => {
      const { student } = scene;
      await student.openConsole(100);
      await showsError(student, 'time_limit');
      await showsEnd(student, { canReopen: false });
    });
  });

  describe('of idle time', () => {
    const scene = useScene(browser, { limits: { idleSeconds: 1 } });

    test('4408: the console was idle; one key reopens it', async () => {
      const { student } = scene;
      await student.openConsole(100);
      await showsError(student, 'idle');
      await showsEnd(student, { canReopen: true });
      await student.page.keyboard.press('Enter');
      await student.waitForState('open');
    });
  });

  describe('of sign-ins and grants', () => {
    const scene = useScene(browser);

    test('4423: signing out in another tab ends all consoles of this sign-in only', async () => {
      const { student } = scene;
      const other = await scene.signInAs('student');
      await other.openConsole(100);
      await student.openConsole(100);
      const list = await student.anotherTab();
      await list.page.goto(scene.stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await list.page.getByText('You have signed out.').waitFor();
      await showsError(student, 'signed_out');
      await student.waitForState('ended');
      await student.page.getByText('Sign in again to continue.', { exact: true }).waitFor();
      await other.waitForState('open');
      expect(scene.stack.proxmox.openConsoles()).toBe(1);
      await student.page.getByRole('link', { name: 'Sign in' }).click();
      await signInHere(student);
      await student.waitForState('open');
    });

    test('4423: an unused grant is invalid after signing out', async () => {
      const { student, stack } = scene;
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      await granted;
      const list = await student.anotherTab();
      await list.page.goto(stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await list.page.getByText('You have signed out.').waitFor();
      release();
      await showsError(student, 'signed_out');
      expect(stack.proxmox.openConsoles()).toBe(0);
    });

    test('4423: signing out ends a console that is still opening', async () => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await student.waitForState('opening');
      const list = await student.anotherTab();
      await list.page.goto(stack.origin);
      await list.page.getByRole('button', { name: 'Sign out' }).click();
      await showsError(student, 'signed_out');
      stack.proxmox.refuseVncproxy(100, null);
    });

    test('4401: the grant was already used; the page requests one new grant', async () => {
      const { student, stack } = scene;
      const asked: string[] = [];
      student.page.on('request', (request) => {
        if (request.method() === 'POST') asked.push(request.url());
      });
      const { granted, release } = await holdGrant(student);
      await student.visitConsole(100);
      const grant = JSON.parse(await granted) as { url: string; protocols: string[] };
      const otherClient = new WebSocket(grant.url, grant.protocols, { origin: stack.origin });
      await eventually('another client used the grant', () => stack.proxmox.openConsoles(100) === 1);
      release();
      await student.closedWith(4401);
      await student.waitForState('open');
      expect(student.sockets()).toBe(2);
      expect(asked.filter((url) => url.endsWith('/grants'))).toHaveLength(2);
      otherClient.terminate();
    });

    test('4403: the page was opened under another host name than the configured one', async () => {
      const { student, stack } = scene;
      const origin = stack.origin.replace('127.0.0.1', 'localhost');
      await student.page.goto(origin);
      await signInHere(student);
      await student.page.locator('body[data-page=machines]').waitFor();
      await student.page.goto(`${origin}/console/lab/100`);
      await showsError(student, 'origin_not_allowed');
      await showsEnd(student, { canReopen: false });
      // The requests to the other host name are intended.
      expect(student.faults.splice(0).filter((fault) => !fault.startsWith(`asked ${origin}`))).toEqual([]);
    });
  });
});
