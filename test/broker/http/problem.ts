import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import type { Answer, Asking } from '../browser.ts';
import { password } from '../rig.ts';

export const sameOrigin = { 'sec-fetch-site': 'same-origin' };
export const login: Asking = { method: 'POST', headers: sameOrigin, body: { username: 'anna', password } };

export function expectProblem(answer: Answer, code: ErrorCode): void {
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['cache-control']).toBe('no-store');
  const { detail, ...rest } = answer.json;
  expect(rest).toEqual({
    type: `urn:porthole:error:${code}`,
    title: errorKinds[code].text,
    status: errorKinds[code].status,
    code,
    requestId: answer.headers['x-request-id'],
  });
  expect(answer.status).toBe(errorKinds[code].status);
  expect(typeof detail).toBe(code === 'bad_request' ? 'string' : 'undefined');
}
