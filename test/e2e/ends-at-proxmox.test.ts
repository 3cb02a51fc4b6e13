import { constantSecret } from '@porthole/shared/config/secret';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { describeWith } from '../needs.ts';
import { showsEnd, showsError, openAgain, tryNow, useBrowser, useScene } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack-config.ts';

describeWith('chromium')('a console, when Proxmox fails', () => {
  const browser = useBrowser();

  describe('with an error', () => {
    const scene = useScene(browser);

    test('4502: a permission is missing', async () => {
      const { student, stack } = scene;
      const { '/': all } = everythingAllowed;
      stack.proxmox.setAcl(proxmoxAccount.userid, { '/': all.filter((one) => one !== 'VM.Console') });
      await student.visitConsole(100);
      await showsError(student, 'proxmox_permission');
      await showsEnd(student, { canReopen: true });
      stack.proxmox.setAcl(proxmoxAccount.userid, everythingAllowed);
      await openAgain(student);
      await student.waitForState('open');
    });

    test.each([
      ['half of a JSON text', '{"data":{"port":59'],
      ['a page of a proxy', '<html><h1>It works!</h1></html>'],
      ['other JSON', '{"data":{"upid":"UPID:pve1:"}}'],
    ])('4502: %s', async (_what, body) => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { body });
      await student.visitConsole(100);
      await showsError(student, 'proxmox_invalid_response');
      await showsEnd(student, { canReopen: true });
      stack.proxmox.refuseVncproxy(100, null);
      await openAgain(student);
      await student.waitForState('open');
    });

    test('4504: no answer', async () => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await showsError(student, 'proxmox_timeout');
      stack.proxmox.refuseVncproxy(100, null);
      await student.waitForState('open');
    });
  });

  describe('in part', () => {
    const scene = useScene(browser);

    test('4504: the node of the machine is down', async () => {
      const { student, stack } = scene;
      await student.openConsole(101);
      await stack.proxmox.setNodeDown('pve2', true);
      await showsError(student, 'console_lost');
      await tryNow(student);
      await showsError(student, 'proxmox_unreachable');
      await stack.proxmox.setNodeDown('pve2', false);
      await student.waitForState('open');
    });

    test('all nodes are down: the page says so and reconnects when they are back', async () => {
      const { student, stack } = scene;
      for (const { name } of stack.proxmox.nodes) await stack.proxmox.setNodeDown(name, true);
      await student.visitConsole(100);
      await student.hasHeading('Proxmox is unreachable.');
      await student.waitForState('retrying');
      for (const { name } of stack.proxmox.nodes) await stack.proxmox.setNodeDown(name, false);
      await student.waitForState('open');
    });
  });

  describe('to accept the token', () => {
    const wrong = { token: proxmoxAccount.token, secret: constantSecret('not-the-secret') };
    const scene = useScene(browser, { relayCluster: { credential: wrong } });

    test('4502: Proxmox refuses the credential', async () => {
      const { student } = scene;
      await student.visitConsole(100);
      await showsError(student, 'proxmox_credential');
      await showsEnd(student, { canReopen: true });
    });
  });

  describe('to present a trusted certificate', () => {
    const { caPem } = createCertificateAuthority();
    const scene = useScene(browser, { relayCluster: { tls: { caFile: constantSecret(caPem) } } });

    test('4502: the relay sends nothing to Proxmox', async () => {
      const { student, stack } = scene;
      const before = stack.proxmox.calls.length;
      await student.visitConsole(100);
      await showsError(student, 'proxmox_tls');
      await showsEnd(student, { canReopen: true });
      // The relay sent no credential. The other requests are the broker's.
      const asked = stack.proxmox.calls.slice(before).map(({ path }) => path);
      expect(asked.filter((path) => path !== '/api2/json/cluster/resources')).toEqual([]);
    });
  });
});
