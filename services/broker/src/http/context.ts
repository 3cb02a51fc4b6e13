import type { Middleware, ParameterizedContext } from 'koa';
import type { User } from '../identity/user.ts';

/** What the steps of a request leave for those around them: the log line, the metrics, the error answer. */
export interface RequestState {
  requestId: string;
  /** One of a closed list, for metrics; set by whoever answers. */
  route?: Route;
  user?: User;
  /** The trace that the request began, if one is recorded. */
  trace?: string;
}

export type Route =
  | 'login'
  | 'logout'
  | 'logins'
  | 'back_channel'
  | 'handover'
  | 'me'
  | 'consoles'
  | 'grants'
  | 'explain'
  | 'sessions'
  | 'audit'
  | 'power'
  | 'page'
  | 'asset'
  | 'other';

export type Context = ParameterizedContext<RequestState>;
export type Step = Middleware<RequestState>;
