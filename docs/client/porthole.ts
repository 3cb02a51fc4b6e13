export type MachineType = "qemu" | "lxc" | "node";

export type Right =
  | "view"
  | "control"
  | "terminal"
  | "watch"
  | "power"
  | "end"
  | "explain"
  | "audit"
  | "recordings";

export interface Class {
  name: string;
  title: string;
  role: "instructor" | "member";
  /** The actions that the user may perform */
  may: (
    | "pause"
    | "resume"
    | "message"
    | "lower"
    | "start"
    | "end"
    | "cancel_end"
    | "show"
    | "stop_showing"
  )[];
  /** Missing if the class has no time windows */
  lesson?: {
    now?: {
      until?: string;
    };
    next?: {
      from: string;
      until?: string;
    };
  };
  /** Minutes before each lesson in which its machines start, and after it until idle ones shut down. For instructors */
  timetable?: {
    /** @min 0 */
    startMinutes?: number;
    /** @min 0 */
    shutdownMinutes?: number;
  };
  paused?: {
    until: string;
    text: string;
    by?: string;
  };
  /** The consoles of the members end at this time */
  ending?: {
    at: string;
    by?: string;
  };
  /** The machine that the members see */
  shown?: {
    cluster: string;
    vmid: number;
    /** Its owner, or its name */
    name: string;
    until: string;
    by?: string;
  };
  /** How many machines of the last `start` run */
  starting?: {
    total: number;
    started: number;
    failed: number;
    /** Whether machines are still being started */
    running: boolean;
  };
  /** Members who ask for help, in order */
  hands: {
    user: ClassMember;
    /** @min 1 */
    position: number;
    since: string;
    text: string;
  }[];
  seats: Seat[];
  /** There are more seats */
  truncated?: true;
}

export interface ClassMember {
  /** Known while the member has a console */
  id?: string;
  name: string;
  displayName?: string;
}

export interface Seat {
  machine: {
    cluster: string;
    vmid: number;
    name: string;
    type: "qemu" | "lxc";
    node: string;
  };
  member?: ClassMember;
  /** open: a member has a console of the machine */
  state: "off" | "free" | "open";
  /** The user who has taken control of the machine. Only for instructors. */
  control?: {
    user: ClassMember;
    mine: boolean;
  };
  help?: {
    /** @min 1 */
    position: number;
    since: string;
    text: string;
  };
}

export type ClassAction =
  | {
      action: "pause";
      /**
       * @min 10
       * @max 7200
       * @default 600
       */
      seconds?: number;
      /**
       * @maxLength 500
       * @default ""
       */
      text?: string;
    }
  | {
      action: "resume" | "start" | "cancel_end" | "stop_showing";
    }
  | {
      action: "show";
      /**
       * @minLength 1
       * @maxLength 64
       */
      cluster: string;
      /**
       * @min 100
       * @max 999999999
       */
      vmid: number;
      /**
       * @min 10
       * @max 14400
       * @default 3600
       */
      seconds?: number;
    }
  | {
      action: "message";
      /**
       * @minLength 1
       * @maxLength 500
       */
      text: string;
      users?: UserIds;
    }
  | {
      action: "lower";
      users: UserIds;
    }
  | {
      action: "end";
      /**
       * @min 0
       * @max 600
       * @default 60
       */
      seconds?: number;
    };

/**
 * @maxItems 200
 * @minItems 1
 */
export type UserIds = string[];

/** @pattern ^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$ */
export type Time = string;

/** Its start in UTC, and 32 hexadecimal digits */
export type RecordingId = string;

export interface Recording {
  /** Its start in UTC, and 32 hexadecimal digits */
  id: RecordingId;
  user?: {
    id: string;
    displayName?: string;
  };
  machine?: {
    cluster: string;
    node: string;
    type: "qemu" | "lxc" | "node";
    vmid?: number;
    name?: string;
  };
  kind?: "screen" | "terminal";
  mode?: "control" | "view";
  /** The class for which the console was opened */
  class?: string;
  /** The rule that says to record */
  rule?: string;
  startedAt: Time;
  /** Without the time between parts */
  durationSeconds: number;
  /** Size in the storage */
  bytes: number;
  /** unfinished: the relay was killed before it wrote the end. damaged: something is missing or was altered. */
  state: "complete" | "running" | "unfinished" | "damaged";
  /** Whether it is on legal hold */
  held: boolean;
}

export interface RecordingProblem {
  /** docs/recording-format.md#damage lists them */
  kind: string;
  part?: string;
  chunk?: number;
}

export interface RecordingPart {
  part: string;
  chunkCount: number;
  /** docs/recording-format.md#index describes the fields. Missing if the index cannot be read. */
  index?: {
    startedAt: Time;
    durationMs: number;
    /** Missing if the part has no end */
    endReason?: string;
    activity: object;
    chunks: object;
    keyframes: object;
    resizes: any[];
    observers: any[];
    marks: any[];
  };
}

export interface Problem {
  /** @pattern ^urn:porthole:error:[a-z_]+$ */
  type: string;
  title: string;
  status: number;
  code: string;
  /** Only for `bad_request` */
  detail?: string;
  requestId: string;
}

export interface User {
  id: string;
  name: string;
  displayName?: string;
  groups: string[];
}

export interface SignedIn {
  user: User;
}

export interface Machine {
  cluster: string;
  node: string;
  type: MachineType;
  /** @min 1 */
  vmid: number;
  name: string;
  status: string;
  tags: string[];
  pool?: string;
  allow: Right[];
  kinds: ("screen" | "terminal")[];
}

export interface Terms {
  clipboard: "both" | "in" | "out" | "none";
  updatesPerSecond?: number;
  sessionSeconds: number;
  maxSessionSeconds: number;
  idleSeconds: number;
  /** How long a page may be hidden until its console is parked. Missing: never. */
  parkSeconds?: number;
  consolesPerUser: number;
  consolesPerMachine: number;
  until?: Time;
  /** How the console is recorded. Missing if it is not. */
  record?: {
    mode: "required" | "try";
    keys: boolean;
    clipboard: boolean;
    consent: boolean;
    keepDays?: number;
    rule: string;
    class?: string;
  };
}

export interface Session {
  id: string;
  user: {
    id: string;
    name: string;
    displayName?: string;
  };
  machine: {
    cluster: string;
    vmid: number;
    name: string;
    type: MachineType;
    node: string;
  };
  mode: "view" | "control";
  kind: "screen" | "terminal";
  observer?: true;
  /** The page is hidden and the console at Proxmox is released. */
  parked?: true;
  /** The session has no console of its own at Proxmox: a shared screen serves it. */
  shared?: true;
  /** The session has taken control of its machine. */
  hasControl?: true;
  relay: string;
  since: Time;
  bytes: {
    toViewer: number;
    toMachine: number;
  };
  observers: string[];
  mine: boolean;
  may: ("end" | "watch" | "control" | "sign_out")[];
}

export type QueryParamsType = Record<string | number, any>;
export type ResponseFormat = keyof Omit<Body, "body" | "bodyUsed">;

export interface FullRequestParams extends Omit<RequestInit, "body"> {
  /** set parameter to `true` for call `securityWorker` for this request */
  secure?: boolean;
  /** request path */
  path: string;
  /** content type of request body */
  type?: ContentType;
  /** query params */
  query?: QueryParamsType;
  /** format of response (i.e. response.json() -> format: "json") */
  format?: ResponseFormat;
  /** request body */
  body?: unknown;
  /** base url */
  baseUrl?: string;
  /** request cancellation token */
  cancelToken?: CancelToken;
}

export type RequestParams = Omit<
  FullRequestParams,
  "body" | "method" | "query" | "path"
>;

export interface ApiConfig<SecurityDataType = unknown> {
  baseUrl?: string;
  baseApiParams?: Omit<RequestParams, "baseUrl" | "cancelToken" | "signal">;
  securityWorker?: (
    securityData: SecurityDataType | null,
  ) => Promise<RequestParams | void> | RequestParams | void;
  customFetch?: typeof fetch;
}

export interface HttpResponse<D extends unknown, E extends unknown = unknown>
  extends Response {
  data: D;
  error: E;
}

type CancelToken = Symbol | string | number;

export type ContentType =
  | "application/json"
  | "application/vnd.api+json"
  | "multipart/form-data"
  | "application/x-www-form-urlencoded"
  | "text/plain";

export class HttpClient<SecurityDataType = unknown> {
  public baseUrl: string = "/api/v1";
  private securityData: SecurityDataType | null = null;
  private securityWorker?: ApiConfig<SecurityDataType>["securityWorker"];
  private abortControllers = new Map<CancelToken, AbortController>();
  private customFetch = (...fetchParams: Parameters<typeof fetch>) =>
    fetch(...fetchParams);

  private baseApiParams: RequestParams = {
    credentials: "same-origin",
    headers: {},
    redirect: "follow",
    referrerPolicy: "no-referrer",
  };

  constructor(apiConfig: ApiConfig<SecurityDataType> = {}) {
    Object.assign(this, apiConfig);
  }

  public setSecurityData = (data: SecurityDataType | null) => {
    this.securityData = data;
  };

  protected encodeQueryParam(key: string, value: any) {
    const encodedKey = encodeURIComponent(key);
    return `${encodedKey}=${encodeURIComponent(typeof value === "number" ? value : `${value}`)}`;
  }

  protected addQueryParam(query: QueryParamsType, key: string) {
    return this.encodeQueryParam(key, query[key]);
  }

  protected addArrayQueryParam(query: QueryParamsType, key: string) {
    const value = query[key];
    return value.map((v: any) => this.encodeQueryParam(key, v)).join("&");
  }

  protected toQueryString(rawQuery?: QueryParamsType): string {
    const query = rawQuery || {};
    const keys = Object.keys(query).filter(
      (key) => "undefined" !== typeof query[key],
    );
    return keys
      .map((key) =>
        Array.isArray(query[key])
          ? this.addArrayQueryParam(query, key)
          : this.addQueryParam(query, key),
      )
      .join("&");
  }

  protected addQueryParams(rawQuery?: QueryParamsType): string {
    const queryString = this.toQueryString(rawQuery);
    return queryString ? `?${queryString}` : "";
  }

  private contentFormatters: Record<ContentType, (input: any) => any> = {
    ["application/json"]: (input: any) =>
      input !== null && (typeof input === "object" || typeof input === "string")
        ? JSON.stringify(input)
        : input,
    ["application/vnd.api+json"]: (input: any) =>
      input !== null && (typeof input === "object" || typeof input === "string")
        ? JSON.stringify(input)
        : input,
    ["text/plain"]: (input: any) =>
      input !== null && typeof input !== "string"
        ? JSON.stringify(input)
        : input,
    ["multipart/form-data"]: (input: any) => {
      if (input instanceof FormData) {
        return input;
      }

      return Object.keys(input || {}).reduce((formData, key) => {
        const property = input[key];
        formData.append(
          key,
          property instanceof Blob
            ? property
            : typeof property === "object" && property !== null
              ? JSON.stringify(property)
              : `${property}`,
        );
        return formData;
      }, new FormData());
    },
    ["application/x-www-form-urlencoded"]: (input: any) =>
      this.toQueryString(input),
  };

  protected mergeRequestParams(
    params1: RequestParams,
    params2?: RequestParams,
  ): RequestParams {
    return {
      ...this.baseApiParams,
      ...params1,
      ...(params2 || {}),
      headers: {
        ...(this.baseApiParams.headers || {}),
        ...(params1.headers || {}),
        ...((params2 && params2.headers) || {}),
      },
    };
  }

  protected createAbortSignal = (
    cancelToken: CancelToken,
  ): AbortSignal | undefined => {
    if (this.abortControllers.has(cancelToken)) {
      const abortController = this.abortControllers.get(cancelToken);
      if (abortController) {
        return abortController.signal;
      }
      return void 0;
    }

    const abortController = new AbortController();
    this.abortControllers.set(cancelToken, abortController);
    return abortController.signal;
  };

  public abortRequest = (cancelToken: CancelToken) => {
    const abortController = this.abortControllers.get(cancelToken);

    if (abortController) {
      abortController.abort();
      this.abortControllers.delete(cancelToken);
    }
  };

  public request = async <T = any, E = any>({
    body,
    secure,
    path,
    type,
    query,
    format,
    baseUrl,
    cancelToken,
    ...params
  }: FullRequestParams): Promise<HttpResponse<T, E>> => {
    const secureParams =
      ((typeof secure === "boolean" ? secure : this.baseApiParams.secure) &&
        this.securityWorker &&
        (await this.securityWorker(this.securityData))) ||
      {};
    const requestParams = this.mergeRequestParams(params, secureParams);
    const queryString = query && this.toQueryString(query);
    const payloadFormatter = this.contentFormatters[type || "application/json"];
    const responseFormat = format || requestParams.format;

    return this.customFetch(
      `${baseUrl || this.baseUrl || ""}${path}${queryString ? `?${queryString}` : ""}`,
      {
        ...requestParams,
        headers: {
          ...(requestParams.headers || {}),
          ...(type && type !== "multipart/form-data"
            ? { "Content-Type": type }
            : {}),
        },
        signal:
          (cancelToken
            ? this.createAbortSignal(cancelToken)
            : requestParams.signal) || null,
        body:
          typeof body === "undefined" || body === null
            ? null
            : payloadFormatter(body),
      },
    ).then(async (response) => {
      const r = response as HttpResponse<T, E>;
      r.data = null as unknown as T;
      r.error = null as unknown as E;

      const responseToParse = responseFormat ? response.clone() : response;
      const data = !responseFormat
        ? r
        : await responseToParse[responseFormat]()
            .then((data) => {
              if (r.ok) {
                r.data = data;
              } else {
                r.error = data;
              }
              return r;
            })
            .catch((e) => {
              r.error = e;
              return r;
            });

      if (cancelToken) {
        this.abortControllers.delete(cancelToken);
      }

      if (!response.ok) throw data;
      return data;
    });
  };
}

/**
 * @title Porthole
 * @version 1
 * @license Apache-2.0
 * @baseUrl /api/v1
 *
 * The API of the broker, for its pages and for programs. Errors are `application/problem+json` (RFC 9457) with a stable
 * `code`; docs/errors.md lists all codes. Each operation can also respond 500 after an unexpected error. State-changing
 * requests must come from Porthole's own pages (Sec-Fetch-Site, Origin), or carry a bearer token.
 */
export class Api<
  SecurityDataType extends unknown,
> extends HttpClient<SecurityDataType> {
  login = {
    /**
     * No description
     *
     * @tags sign-in
     * @name GetLogin
     * @summary List the sign-in methods
     * @request GET:/login
     */
    getLogin: (params: RequestParams = {}) =>
      this.request<
        {
          methods: {
            kind: "local" | "oidc" | "proxmox";
            title?: string;
            url?: string;
            realms?: {
              name: string;
              title: string;
            }[];
          }[];
        },
        any
      >({
        path: `/login`,
        method: "GET",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name PostLogin
     * @summary Sign in as a local user
     * @request POST:/login
     */
    postLogin: (
      data: {
        /**
         * @minLength 1
         * @maxLength 256
         */
        username: string;
        /**
         * @minLength 1
         * @maxLength 1024
         */
        password: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<SignedIn, Problem>({
        path: `/login`,
        method: "POST",
        body: data,
        type: "application/json",
        ...params,
      }),

    /**
     * @description After a failure, redirects to the sign-in page, which shows the error.
     *
     * @tags sign-in
     * @name GetLoginOidcById
     * @summary Redirect the browser to the issuer
     * @request GET:/login/oidc/{issuer}
     */
    getLoginOidcById: (
      issuer: string,
      query?: {
        /** Path of the Porthole page to open after the sign-in */
        return?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<any, void | Problem>({
        path: `/login/oidc/${issuer}`,
        method: "GET",
        query: query,
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name GetLoginOidcCallback
     * @summary Complete the sign-in (redirect URI at the issuer)
     * @request GET:/login/oidc/{issuer}/callback
     */
    getLoginOidcCallback: (issuer: string, params: RequestParams = {}) =>
      this.request<any, void | Problem>({
        path: `/login/oidc/${issuer}/callback`,
        method: "GET",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name PostLoginOidcLogout
     * @summary OpenID Connect back-channel logout, called by the issuer
     * @request POST:/login/oidc/{issuer}/logout
     */
    postLoginOidcLogout: (
      issuer: string,
      data: {
        logout_token: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<void, Problem>({
        path: `/login/oidc/${issuer}/logout`,
        method: "POST",
        body: data,
        type: "application/x-www-form-urlencoded",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name PostLoginProxmoxById
     * @summary Sign in with a Proxmox account
     * @request POST:/login/proxmox/{cluster}
     */
    postLoginProxmoxById: (
      cluster: string,
      data: {
        username: string;
        password: string;
        realm: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        | SignedIn
        | {
            secondFactor: {
              id: string;
              factors: ("totp" | "recovery" | "yubico")[];
            };
          },
        Problem
      >({
        path: `/login/proxmox/${cluster}`,
        method: "POST",
        body: data,
        type: "application/json",
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name PostLoginProxmoxCode
     * @summary Complete a Proxmox sign-in with a second factor
     * @request POST:/login/proxmox/{cluster}/code
     */
    postLoginProxmoxCode: (
      cluster: string,
      data: {
        id: string;
        factor: "totp" | "recovery" | "yubico";
        code: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<SignedIn, Problem>({
        path: `/login/proxmox/${cluster}/code`,
        method: "POST",
        body: data,
        type: "application/json",
        ...params,
      }),
  };
  logout = {
    /**
     * No description
     *
     * @tags sign-in
     * @name PostLogout
     * @summary Sign out, and end the consoles of this sign-in
     * @request POST:/logout
     * @secure
     */
    postLogout: (params: RequestParams = {}) =>
      this.request<
        {
          url: string;
        },
        Problem
      >({
        path: `/logout`,
        method: "POST",
        secure: true,
        format: "json",
        ...params,
      }),
  };
  logins = {
    /**
     * @description Needs the right `end` from a rule for all machines.
     *
     * @tags sign-in
     * @name DeleteLogins
     * @summary End all sign-ins, consoles and grants of a user
     * @request DELETE:/logins
     * @secure
     */
    deleteLogins: (
      query: {
        /**
         * @minLength 1
         * @maxLength 256
         */
        user: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          signIns: number;
          consoles: number;
        },
        Problem
      >({
        path: `/logins`,
        method: "DELETE",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),
  };
  embedTokens = {
    /**
     * No description
     *
     * @tags consoles
     * @name PostEmbedTokens
     * @summary Exchange the one-time code of an embedded page for its embed token
     * @request POST:/embed-tokens
     */
    postEmbedTokens: (
      data: {
        code: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          token: string;
        },
        Problem
      >({
        path: `/embed-tokens`,
        method: "POST",
        body: data,
        type: "application/json",
        format: "json",
        ...params,
      }),
  };
  me = {
    /**
     * No description
     *
     * @tags sign-in
     * @name GetMe
     * @summary Show the signed-in user
     * @request GET:/me
     * @secure
     */
    getMe: (params: RequestParams = {}) =>
      this.request<
        {
          user: User;
          /** Whether a rule gives the user `watch` or `end` on any machine */
          canSeeSessions: boolean;
          /** Whether the user may be an instructor of a class */
          canSeeClasses: boolean;
          /** Whether a rule or a class lets the user see recordings */
          canSeeRecordings: boolean;
        },
        Problem
      >({
        path: `/me`,
        method: "GET",
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name GetMeLogins
     * @summary List the sign-ins of the user
     * @request GET:/me/logins
     * @secure
     */
    getMeLogins: (params: RequestParams = {}) =>
      this.request<
        {
          logins: {
            id: string;
            method: string;
            since: Time;
            address: string;
            current: boolean;
          }[];
        },
        Problem
      >({
        path: `/me/logins`,
        method: "GET",
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sign-in
     * @name DeleteMeLoginsById
     * @summary End a sign-in of the user, and its consoles
     * @request DELETE:/me/logins/{id}
     * @secure
     */
    deleteMeLoginsById: (id: string, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/me/logins/${id}`,
        method: "DELETE",
        secure: true,
        ...params,
      }),
  };
  consoles = {
    /**
     * No description
     *
     * @tags consoles
     * @name GetConsoles
     * @summary List the machines on which the user has a right
     * @request GET:/consoles
     * @secure
     */
    getConsoles: (params: RequestParams = {}) =>
      this.request<
        {
          consoles: Machine[];
          /** Proxmox gave no newer list */
          stale?: boolean;
          staleSeconds?: number;
          /** The machines of a cluster are missing */
          incomplete?: boolean;
        },
        Problem
      >({
        path: `/consoles`,
        method: "GET",
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags consoles
     * @name PostConsolesGrants
     * @summary Create a grant for a console, which works once within seconds
     * @request POST:/consoles/{cluster}/{vmid}/grants
     * @secure
     */
    postConsolesGrants: (
      cluster: string,
      vmid: number,
      data: {
        mode: "view" | "control";
        /** @default "screen" */
        kind?: "screen" | "terminal";
        /** @default false */
        watch?: boolean;
        /**
         * Input reaches the machine only while the session has control of it. Needs mode control and the right watch.
         * @default false
         */
        inputWhenTaken?: boolean;
        /** See the machine that is shown to a class of the user. Needs mode view */
        follow?: "class";
        /**
         * The id of the session to return to
         * @minLength 1
         * @maxLength 64
         */
        reopens?: string;
        /** The user agrees that the console is recorded. Without it, a console whose rules require consent is refused with `consent_required`. */
        consent?: true;
        /** The user that a program asks for */
        onBehalfOf?: object;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          id: string;
          /** @pattern ^wss?:// */
          url: string;
          /**
           * @maxItems 2
           * @minItems 2
           */
          protocols: string[];
          /** @pattern ^https?:// */
          page: string;
          expiresAt: Time;
          machine: {
            name: string;
            type: MachineType;
            node: string;
          };
          allow: Right[];
          /** The console is recorded, or it is if that is possible. Missing: it is not. */
          record?: "required" | "try";
        },
        Problem
      >({
        path: `/consoles/${cluster}/${vmid}/grants`,
        method: "POST",
        body: data,
        secure: true,
        type: "application/json",
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags consoles
     * @name PostConsolesPower
     * @summary Start, shut down, reboot, reset or stop a machine
     * @request POST:/consoles/{cluster}/{vmid}/power
     * @secure
     */
    postConsolesPower: (
      cluster: string,
      vmid: number,
      data: {
        action: "start" | "shutdown" | "reboot" | "reset" | "stop";
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          task: string;
        },
        Problem
      >({
        path: `/consoles/${cluster}/${vmid}/power`,
        method: "POST",
        body: data,
        secure: true,
        type: "application/json",
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags consoles
     * @name GetConsolesPowerById
     * @summary Show the state of a power task
     * @request GET:/consoles/{cluster}/{vmid}/power/{task}
     * @secure
     */
    getConsolesPowerById: (
      cluster: string,
      vmid: number,
      task: string,
      params: RequestParams = {},
    ) =>
      this.request<
        {
          state: "running" | "done" | "failed";
          code?: string;
          title?: string;
          requestId?: string;
        },
        Problem
      >({
        path: `/consoles/${cluster}/${vmid}/power/${task}`,
        method: "GET",
        secure: true,
        format: "json",
        ...params,
      }),
  };
  access = {
    /**
     * No description
     *
     * @tags sessions
     * @name GetAccessExplain
     * @summary Explain what a user or program may do with a machine
     * @request GET:/access/explain
     * @secure
     */
    getAccessExplain: (
      query: {
        user?: string;
        program?: string;
        group?: string[];
        claim?: string[];
        cluster: string;
        vmid: string;
        at?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          allow: Right[];
          consoles: {
            view?: Terms;
            control?: Terms;
          };
          rules: {
            place: string;
            name: string;
            grants: Right[];
            mismatch?: string;
          }[];
        },
        Problem
      >({
        path: `/access/explain`,
        method: "GET",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),
  };
  audit = {
    /**
     * @description Needs the right `audit` from a rule for all machines. docs/audit.md lists the events and their fields.
     *
     * @tags sessions
     * @name GetAudit
     * @summary List the audit events of the last day, newest first
     * @request GET:/audit
     * @secure
     */
    getAudit: (
      query?: {
        /**
         * @min 1
         * @max 500
         * @default 100
         */
        limit?: number;
        event?: string;
        user?: string;
        /** cluster/number */
        machine?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          events: {
            time: Time;
            service: "broker" | "relay";
            event: string;
          }[];
        },
        Problem
      >({
        path: `/audit`,
        method: "GET",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),
  };
  recordings = {
    /**
     * @description Exists only if the installation records. Needs the right `recordings`, or a class whose instructors see its recordings. A page can have fewer than `limit` recordings although more follow: `next` says so.
     *
     * @tags recordings
     * @name GetRecordings
     * @summary List the recordings that the user may see, newest first
     * @request GET:/recordings
     * @secure
     */
    getRecordings: (
      query?: {
        /** Part of the id or name of the user */
        user?: string;
        /** cluster/number, a number, or part of the name */
        machine?: string;
        class?: string;
        /**
         * Start of the first recording
         * @format date-time
         */
        from?: string;
        /**
         * Start of the last recording
         * @format date-time
         */
        to?: string;
        /**
         * @min 1
         * @max 100
         * @default 50
         */
        limit?: number;
        /** `next` of the page before */
        cursor?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          recordings: Recording[];
          next?: string;
          /** Whether the user may hold and delete recordings */
          mayManage: boolean;
        },
        Problem
      >({
        path: `/recordings`,
        method: "GET",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags recordings
     * @name GetRecordingsById
     * @summary Show a recording with its parts
     * @request GET:/recordings/{id}
     * @secure
     */
    getRecordingsById: (id: RecordingId, params: RequestParams = {}) =>
      this.request<
        Recording & {
          /** Whether values of keys are recorded */
          keys: boolean;
          /** Whether the clipboard is recorded */
          clipboard: boolean;
          mayManage: boolean;
          parts: RecordingPart[];
          problems: RecordingProblem[];
        },
        Problem
      >({
        path: `/recordings/${id}`,
        method: "GET",
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * @description Needs the right `recordings` from a rule for all machines. Not while the recording is on legal hold or in progress.
     *
     * @tags recordings
     * @name DeleteRecordingsById
     * @summary Delete a recording
     * @request DELETE:/recordings/{id}
     * @secure
     */
    deleteRecordingsById: (id: RecordingId, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/recordings/${id}`,
        method: "DELETE",
        secure: true,
        ...params,
      }),

    /**
     * @description The plain data of the chunk: for each segment its length in 4 bytes (big-endian) and its data, described in docs/recording-format.md#records. At most 1 MiB.
     *
     * @tags recordings
     * @name GetRecordingsPartsChunksById
     * @summary Read a chunk of a recording
     * @request GET:/recordings/{id}/parts/{part}/chunks/{chunk}
     * @secure
     */
    getRecordingsPartsChunksById: (
      id: RecordingId,
      part: string,
      chunk: number,
      params: RequestParams = {},
    ) =>
      this.request<Blob, Problem>({
        path: `/recordings/${id}/parts/${part}/chunks/${chunk}`,
        method: "GET",
        secure: true,
        ...params,
      }),

    /**
     * @description asciicast v3 for terminals. For screens, the container of docs/recording-format.md#container.
     *
     * @tags recordings
     * @name GetRecordingsDownload
     * @summary Download a recording as one file
     * @request GET:/recordings/{id}/download
     * @secure
     */
    getRecordingsDownload: (id: RecordingId, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/recordings/${id}/download`,
        method: "GET",
        secure: true,
        ...params,
      }),

    /**
     * @description Needs the right `recordings` from a rule for all machines. While it is held, nothing deletes the recording.
     *
     * @tags recordings
     * @name PutRecordingsHold
     * @summary Put a recording on legal hold
     * @request PUT:/recordings/{id}/hold
     * @secure
     */
    putRecordingsHold: (id: RecordingId, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/recordings/${id}/hold`,
        method: "PUT",
        secure: true,
        ...params,
      }),

    /**
     * No description
     *
     * @tags recordings
     * @name DeleteRecordingsHold
     * @summary Remove the legal hold of a recording
     * @request DELETE:/recordings/{id}/hold
     * @secure
     */
    deleteRecordingsHold: (id: RecordingId, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/recordings/${id}/hold`,
        method: "DELETE",
        secure: true,
        ...params,
      }),
  };
  sessions = {
    /**
     * No description
     *
     * @tags sessions
     * @name GetSessions
     * @summary List the open consoles
     * @request GET:/sessions
     * @secure
     */
    getSessions: (
      query?: {
        /** @default "mine" */
        scope?: "mine" | "class" | "all";
        class?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          classes: {
            name: string;
            title: string;
          }[];
          sessions: Session[];
          truncated?: true;
        },
        void | Problem
      >({
        path: `/sessions`,
        method: "GET",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sessions
     * @name DeleteSessions
     * @summary End all consoles of a user, a class or a machine that the user may end
     * @request DELETE:/sessions
     * @secure
     */
    deleteSessions: (
      query?: {
        user?: string;
        class?: string;
        cluster?: string;
        vmid?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          ended: number;
        },
        Problem
      >({
        path: `/sessions`,
        method: "DELETE",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * No description
     *
     * @tags sessions
     * @name DeleteSessionsById
     * @summary End a console
     * @request DELETE:/sessions/{id}
     * @secure
     */
    deleteSessionsById: (id: string, params: RequestParams = {}) =>
      this.request<void, Problem>({
        path: `/sessions/${id}`,
        method: "DELETE",
        secure: true,
        ...params,
      }),

    /**
     * @description While a user has control, input of others does not reach the machine. Needs the rights watch and control on the machine, and an own console of it with mode control. Members of a class with instructors can not take control of its machines. Control goes to the session of the path if it is an own one, otherwise to the newest own console of its machine, and ends with that console. `release` does nothing if the user does not have control.
     *
     * @tags sessions
     * @name PostSessionsControl
     * @summary Take control of the machine of a console, or hand it back
     * @request POST:/sessions/{id}/control
     * @secure
     */
    postSessionsControl: (
      id: string,
      data: {
        action: "take" | "release";
      },
      params: RequestParams = {},
    ) =>
      this.request<void, Problem>({
        path: `/sessions/${id}/control`,
        method: "POST",
        body: data,
        secure: true,
        type: "application/json",
        ...params,
      }),
  };
  classes = {
    /**
     * @description Instructors see all seats and raised hands. Members see the machines that they may open, and their own hand.
     *
     * @tags classes
     * @name GetClasses
     * @summary List the classes of the user and what is going on in them
     * @request GET:/classes
     * @secure
     */
    getClasses: (
      query?: {
        /**
         * One class only
         * @minLength 1
         * @maxLength 64
         */
        name?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          /** All classes of the user */
          available: {
            name: string;
            title: string;
            role: "instructor" | "member";
          }[];
          /** The classes themselves, or the one of this name */
          classes: Class[];
          /** Not all of these classes are listed */
          truncated?: true;
        },
        void | Problem
      >({
        path: `/classes`,
        method: "GET",
        query: query,
        secure: true,
        format: "json",
        ...params,
      }),

    /**
     * @description Each action can be repeated without harm. `start` starts the machines that are off, a few at a time per node; follow `starting` of the class.
     *
     * @tags classes
     * @name PostClassesActions
     * @summary Act for a class, as its instructor
     * @request POST:/classes/{name}/actions
     * @secure
     */
    postClassesActions: (
      name: string,
      data: ClassAction,
      params: RequestParams = {},
    ) =>
      this.request<void, Problem>({
        path: `/classes/${name}/actions`,
        method: "POST",
        body: data,
        secure: true,
        type: "application/json",
        ...params,
      }),

    /**
     * @description Opens one WebSocket within a minute (docs/protocol.md). `seats` are the virtual machines that the user may watch; at most 200. With `renews`, the grant does not open a wall, but shows the relay that an open one may go on, with these machines. Counts with the requests for consoles.
     *
     * @tags classes
     * @name PostClassesWall
     * @summary Request a grant for small pictures of the machines of a class
     * @request POST:/classes/{name}/wall
     * @secure
     */
    postClassesWall: (
      name: string,
      data: {
        /**
         * `id` of the open wall
         * @minLength 1
         * @maxLength 64
         */
        renews?: string;
      },
      params: RequestParams = {},
    ) =>
      this.request<
        {
          /** Identifies the wall in logs and audit events */
          id: string;
          url: string;
          /**
           * @maxItems 2
           * @minItems 2
           */
          protocols: string[];
          expiresAt: Time;
          seats: {
            /**
             * @min 0
             * @max 65535
             */
            seat: number;
            cluster: string;
            vmid: number;
          }[];
        },
        Problem
      >({
        path: `/classes/${name}/wall`,
        method: "POST",
        body: data,
        secure: true,
        type: "application/json",
        format: "json",
        ...params,
      }),
  };
}
