import { constantSecret } from '@porthole/shared/config/secret';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { describeWith } from '../needs.ts';
import { isOver, isTold, openAgain, tryNow, useBrowser, useScene } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack.ts';

describeWith('chromium')('a console that ends because of Proxmox', () => {
  const browser = useBrowser();

  describe('which answers', () => {
    const scene = useScene(browser);

    test('4502: that a permission is missing', async () => {
      const { student, stack } = scene;
      const { '/': all } = everythingAllowed;
      stack.proxmox.setAcl(proxmoxAccount.userid, { '/': all.filter((one) => one !== 'VM.Console') });
      await student.visitConsole(100);
      await isTold(student, 'proxmox_permission');
      await isOver(student, { openAgain: true });
      stack.proxmox.setAcl(proxmoxAccount.userid, everythingAllowed);
      await openAgain(student);
      await student.reaches('open');
    });

    test.each([
      ['half of a JSON text', '{"data":{"port":59'],
      ['a page of a proxy in between', '<html><h1>It works!</h1></html>'],
      ['something else', '{"data":{"upid":"UPID:pve1:"}}'],
    ])('4502: %s', async (_what, body) => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { body });
      await student.visitConsole(100);
      await isTold(student, 'proxmox_invalid_response');
      await isOver(student, { openAgain: true });
      stack.proxmox.refuseVncproxy(100, null);
      await openAgain(student);
      await student.reaches('open');
    });

    test('4504: nothing', async () => {
      const { student, stack } = scene;
      stack.proxmox.refuseVncproxy(100, { noAnswer: true });
      await student.visitConsole(100);
      await isTold(student, 'proxmox_timeout');
      stack.proxmox.refuseVncproxy(100, null);
      await student.reaches('open');
    });
  });

  describe('of which a part is down', () => {
    const scene = useScene(browser);

    test('4504: the node of the machine', async () => {
      const { student, stack } = scene;
      await student.openConsole(101);
      await stack.proxmox.setNodeDown('pve2', true);
      await isTold(student, 'console_lost');
      await tryNow(student);
      await isTold(student, 'proxmox_unreachable');
      await stack.proxmox.setNodeDown('pve2', false);
      await student.reaches('open');
    });

    test('all of it: the page says so, and the console comes back with it', async () => {
      const { student, stack } = scene;
      for (const { name } of stack.proxmox.nodes) await stack.proxmox.setNodeDown(name, true);
      await student.visitConsole(100);
      await student.reads('Proxmox is unreachable.');
      await student.reaches('retrying');
      for (const { name } of stack.proxmox.nodes) await stack.proxmox.setNodeDown(name, false);
      await student.reaches('open');
    });
  });

  describe('which does not know the secret of the token', () => {
    const wrong = { token: proxmoxAccount.token, secret: constantSecret('not-the-secret') };
    const scene = useScene(browser, { relayCluster: { credential: wrong } });

    test('4502: it refuses the credential', async () => {
      const { student } = scene;
      await student.visitConsole(100);
      await isTold(student, 'proxmox_credential');
      await isOver(student, { openAgain: true });
    });
  });

  describe('whose certificate is signed by somebody else', () => {
    const { caPem } = createCertificateAuthority();
    const scene = useScene(browser, { relayCluster: { tls: { caFile: constantSecret(caPem) } } });

    test('4502: it is not trusted', async () => {
      const { student, stack } = scene;
      const before = stack.proxmox.calls.length;
      await student.visitConsole(100);
      await isTold(student, 'proxmox_tls');
      await isOver(student, { openAgain: true });
      // Not even the credential was shown to it. What the broker asks is on its own account.
      const asked = stack.proxmox.calls.slice(before).map(({ path }) => path);
      expect(asked.filter((path) => path !== '/api2/json/cluster/resources')).toEqual([]);
    });
  });
});
