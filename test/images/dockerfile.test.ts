import { readFileSync } from 'node:fs';
import { services } from '../../k8s/images/stage-service.ts';
import { commandOf, dockerfile, root, stageOf, userOf } from './dockerfile.ts';

describe('the Dockerfile', () => {
  test.each(services)('runs %s without a shell, as the user that the chart sets', (service) => {
    const manifests = readFileSync(`${root}k8s/quickstart/porthole.yaml`, 'utf8');
    const [user, group] = userOf(service).split(':');
    expect(manifests).toContain(`runAsUser: ${user}\n`);
    expect(manifests).toContain(`runAsGroup: ${group}\n`);
    expect(stageOf(service)).toContain('ENTRYPOINT ["/usr/local/bin/node"]\n');
    expect(commandOf(service).at(-1)).toBe(`services/${service}/dist/main.js`);
    // The run-time base image can be without a shell.
    expect(stageOf(service)).not.toMatch(/^RUN /m);
  });

  test('starts the relay with the same --max-semi-space-size as npm run start:relay', () => {
    expect(commandOf('relay')).toContain('--max-semi-space-size=4');
    expect(readFileSync(`${root}package.json`, 'utf8')).toContain(
      '"start:relay": "node --max-semi-space-size=4 ',
    );
  });

  test('gets files only from the build context and the registries', () => {
    expect(dockerfile).not.toMatch(/^ADD |curl|wget|apt-get/m);
    const ignored = readFileSync(`${root}.dockerignore`, 'utf8');
    expect(ignored).toMatch(/^\*$/m);
    expect(ignored).not.toMatch(/^!test|^!\.git|^!helm/m);
  });
});
