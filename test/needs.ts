import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describeWhere, findExecutable } from './fakes/guests/availability.ts';
import { qemuAvailable, qemuMissing } from './fakes/guests/qemu.ts';
import { openEdxAvailable, openEdxMissing } from './fakes/lti/open-edx.ts';
import { xvncAvailable, xvncMissing } from './fakes/guests/xvnc.ts';

function hasReadyNode(): boolean {
  const ready = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
  const { stdout } = spawnSync('kubectl', ['get', 'nodes', '--request-timeout=10s', '-o', ready], {
    encoding: 'utf8',
  });
  return (stdout ?? '').includes('True');
}

/** Real programs that these tests drive, and the sentence that names the package of one that is missing. */
const programs = {
  chromium: {
    here: () => existsSync('/usr/bin/chromium'),
    missing: '/usr/bin/chromium is not there (Debian package chromium)',
  },
  firefox: {
    here: () => existsSync('/usr/bin/firefox-esr'),
    missing: '/usr/bin/firefox-esr is not there (Debian package firefox-esr)',
  },
  helm: {
    here: () => findExecutable('helm') !== undefined,
    missing: 'helm is not installed (go install helm.sh/helm/v3/cmd/helm@v3.21.4)',
  },
  qemu: { here: qemuAvailable, missing: qemuMissing },
  xvnc: { here: xvncAvailable, missing: xvncMissing },
  vncviewer: {
    here: () => findExecutable('xtigervncviewer', 'vncviewer') !== undefined,
    missing: 'vncviewer is not installed (Debian package tigervnc-viewer)',
  },
  xkbcommon: {
    here: () => spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL("libxkbcommon.so.0")']).status === 0,
    missing: 'python3 or libxkbcommon.so.0 is not there (Debian packages python3, libxkbcommon0)',
  },
  php: {
    here: () => findExecutable('php') !== undefined,
    missing: 'php is not installed (Debian package php-cli)',
  },
  pythonRequests: {
    here: () => spawnSync('python3', ['-c', 'import requests']).status === 0,
    missing: 'python3 has no requests (Debian package python3-requests)',
  },
  openEdx: { here: openEdxAvailable, missing: openEdxMissing },
  kubectl: {
    here: () => findExecutable('kubectl') !== undefined,
    missing: 'kubectl is not installed (https://kubernetes.io/docs/tasks/tools)',
  },
  curl: {
    here: () => findExecutable('curl') !== undefined,
    missing: 'curl is not installed (Debian package curl)',
  },
  openssl: {
    here: () => findExecutable('openssl') !== undefined,
    missing: 'openssl is not installed (Debian package openssl)',
  },
  kubernetes: {
    here: () => process.env['KUBECONFIG'] !== undefined,
    missing: 'KUBECONFIG names no cluster to try this at (a kube-apiserver with etcd is enough)',
  },
  cluster: {
    here: () => process.env['KUBECONFIG'] !== undefined && hasReadyNode(),
    missing: 'KUBECONFIG names no cluster with a ready node, which the installation test needs',
  },
  images: {
    here: () => process.env['IMAGES'] !== undefined,
    missing: 'IMAGES names no tag of images to try (npm run images, then IMAGES=0.1.0)',
  },
  haproxy: {
    here: () => findExecutable('haproxy') !== undefined || existsSync('/usr/sbin/haproxy'),
    missing: 'haproxy is not installed (Debian package haproxy)',
  },
  prometheus: {
    here: () => ['prometheus', 'promtool'].every((name) => findExecutable(name) !== undefined),
    missing: 'prometheus or promtool is not installed (Debian package prometheus)',
  },
  nginx: {
    here: () => findExecutable('nginx') !== undefined || existsSync('/usr/sbin/nginx'),
    missing: 'nginx is not installed (Debian package nginx)',
  },
  bash: {
    here: () => ['bash', 'script', 'stty'].every((name) => findExecutable(name) !== undefined),
    missing: 'bash, script or stty is not there (Debian packages bash, bsdutils, coreutils)',
  },
  redis: {
    here: () => findExecutable('redis-server') !== undefined,
    missing: 'redis-server is not installed (Debian package redis-server)',
  },
  versitygw: {
    here: () => findExecutable('versitygw') !== undefined,
    missing: 'versitygw is not installed (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)',
  },
};

/** `describe`, or a loud skip that says which packages would bring what these tests need. */
export function describeWith(...names: (keyof typeof programs)[]): typeof describe {
  const absent = names.map((name) => programs[name]).filter(({ here }) => !here());
  return describeWhere(absent.length === 0, absent.map(({ missing }) => missing).join('; '));
}
