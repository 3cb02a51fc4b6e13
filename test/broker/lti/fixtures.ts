import { generateKeyPairSync } from 'node:crypto';
import { constantSecret, type Secret } from '@porthole/shared/config/secret';
import type { z } from 'zod';
import type { configSchema } from '@porthole/shared/config/schema';
import { startLtiPlatform, type Launch, type LtiPlatform } from '../../fakes/lti/platform.ts';
import type { Answer } from '../browser.ts';
import { aCluster, startBroker, type Rig } from '../rig.ts';

export function aToolKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
export const toolKey = aToolKey();

export interface School {
  readonly rig: Rig;
  readonly platform: LtiPlatform;
  /** The first request, as a browser sends it. */
  login(launch?: Launch): Promise<BegunLaunch>;
  /** Posts a message, as the platform's page lets a browser do. */
  post(begun: BegunLaunch, idToken: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A complete launch. */
  launch(launch?: Launch): Promise<Step>;
  stop(): Promise<void>;
}

export interface BegunLaunch {
  readonly state: string;
  readonly nonce: string;
  readonly cookie: string;
}

/** The step of the page in an answer. */
export interface Step {
  readonly step: string;
  // Tests look where they know something to be.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [name: string]: any;
}

export function stepOf({ text }: Pick<Answer, 'text'>): Step {
  const found = /<script type="application\/json" id="step">(.*?)<\/script>/s.exec(text)?.[1];
  return JSON.parse(found ?? '{"step":"none"}') as Step;
}

export async function startSchool(
  options: {
    readonly config?: Partial<z.input<typeof configSchema>>;
    readonly toolKeys?: Secret;
    readonly registration?: Readonly<Record<string, unknown>>;
    readonly others?: readonly Readonly<Record<string, unknown>>[];
    readonly rig?: Partial<Parameters<typeof startBroker>[0]>;
  } = {},
): Promise<School> {
  const platform = await startLtiPlatform();
  const fake = await aCluster();
  const rig = await startBroker({
    proxmox: [{ name: 'lab', fake }],
    ...options.rig,
    config: {
      access: [
        { who: { groups: ['lti:school:12:learner'] }, which: { names: ['lab-{user}'] }, allow: ['control'] },
        { who: { groups: ['lti:school:12:instructor'] }, which: { tags: ['lab'] }, allow: ['view'] },
      ],
      ...options.config,
      lti: {
        toolKeys: options.toolKeys ?? constantSecret(toolKey),
        platforms: [
          { ...platform.registration, ...options.registration },
          ...(options.others ?? []),
        ] as never,
      },
    },
  });
  // The tool's own address, as its publicUrl says; requests go to the port of the rig.
  platform.setTool(rig.config.publicUrl.origin, `http://127.0.0.1:${rig.port}/lti/jwks`);

  async function login(launch: Launch = {}): Promise<BegunLaunch> {
    const { pathname, search } = platform.loginUrl(launch);
    const answer = await rig.ask(pathname + search);
    if (answer.status !== 303) throw new Error(`the login was refused: ${answer.text}`);
    const target = new URL(String(answer.headers.location));
    const [cookie = ''] = String(answer.headers['set-cookie']).split(';', 1);
    return {
      state: target.searchParams.get('state') ?? '',
      nonce: target.searchParams.get('nonce') ?? '',
      cookie,
    };
  }

  const post = ({ state, cookie }: BegunLaunch, idToken: string, headers = {}) =>
    rig.ask('/lti/launch', {
      method: 'POST',
      raw: new URLSearchParams({ state, id_token: idToken }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-dest': 'iframe',
        cookie,
        ...headers,
      },
    });

  return {
    rig,
    platform,
    login,
    post,
    async launch(launch = {}) {
      const begun = await login(launch);
      return stepOf(await post(begun, await platform.sign(platform.claimsOf(launch, begun.nonce))));
    },
    stop: () => platform.stop(),
  };
}
