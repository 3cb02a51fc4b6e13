/** The frame of the learning platform that keeps data for this browser. */
export interface PlatformStorage {
  readonly target: string;
  readonly origin: string;
  readonly key: string;
}

/** What the broker tells the page of a launch to do (services/broker/src/lti/page-step.ts). */
export type Step =
  | ({ readonly step: 'store'; readonly secret: string; readonly next: string } & PlatformStorage)
  | ({ readonly step: 'confirm'; readonly code: string } & PlatformStorage)
  | { readonly step: 'open'; readonly url: string }
  | { readonly step: 'choose'; readonly machines: readonly { readonly name: string; readonly url: string }[] }
  | { readonly step: 'sign-in'; readonly title: string; readonly code: string }
  | SelectStep
  | { readonly step: 'submit'; readonly url: string; readonly jwt: string }
  | ErrorStep;

export interface SelectStep {
  readonly step: 'select';
  readonly code: string;
  readonly multiple: boolean;
  readonly machines: readonly { readonly id: string; readonly name: string }[];
  readonly classes: readonly { readonly name: string; readonly title: string }[];
}

export interface ErrorStep {
  readonly step: 'error';
  readonly code: string;
  readonly title: string;
  readonly requestId: string;
}
