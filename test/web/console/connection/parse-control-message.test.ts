import * as fc from 'fast-check';
import { parseControlMessage } from '../../../../services/broker/web/src/console/connection/parse-control-message.ts';

describe('control messages', () => {
  test.each([
    { type: 'queued', position: 3 },
    { type: 'queued', position: 3, waitSeconds: 40 },
    { type: 'opening', step: 'authenticate' },
    { type: 'opened', mode: 'view' },
    { type: 'opened', mode: 'control', clipboard: 'in', parking: true, recorded: true },
    { type: 'not_recorded' },
    { type: 'parked' },
    { type: 'unanswered' },
    { type: 'answers' },
  ])('%p is parsed', (message) => {
    expect(parseControlMessage(JSON.stringify(message))).toEqual(message);
  });

  test('invalid text is ignored', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseControlMessage(text)).not.toThrow();
      }),
    );
    expect(parseControlMessage('{"type":"opening","step":"toString"}')).toBeUndefined();
    expect(parseControlMessage('{"type":"queued","position":0}')).toBeUndefined();
    expect(parseControlMessage('{"type":"something newer"}')).toBeUndefined();
    expect(parseControlMessage('{"type":"resume","token":"not a, subprotocol"}')).toBeUndefined();
    expect(
      parseControlMessage('{"type":"notice","notice":"idle","seconds":-1,"extend":true}'),
    ).toBeUndefined();
    expect(parseControlMessage('{"type":"notice_over","notice":"valueOf"}')).toBeUndefined();
  });
});
