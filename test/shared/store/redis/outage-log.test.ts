import { createRedisOutageLog } from '@porthole/shared/store/redis/outage';
import { recordedLog } from '../store-harness.ts';

function anOutage() {
  const { log, lines } = recordedLog();
  return { outage: createRedisOutageLog(log), lines };
}

describe('the log of an outage', () => {
  test('has one line for each kind of error, and one for the end', () => {
    const { outage, lines } = anOutage();
    for (let attempt = 0; attempt < 3; attempt++) {
      outage.failed('calls', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
      outage.failed('signals', new Error('WRONGPASS invalid password'));
    }
    expect(lines).toHaveLength(2);
    outage.recovered('calls');
    expect(lines).toHaveLength(2);
    outage.recovered('signals');
    outage.recovered('signals');
    expect(lines).toHaveLength(3);
  });

  test('is bounded, however many kinds of errors Redis makes up', () => {
    const { outage, lines } = anOutage();
    for (let kind = 0; kind < 1000; kind++) outage.failed('calls', new Error(`ERR${kind} made up`));
    expect(lines).toHaveLength(10);
    outage.recovered('calls');
    outage.failed('calls', new Error('ERR0 made up'));
    expect(lines).toHaveLength(12);
  });

  test('has nothing about connections that close once, or after the store was stopped', () => {
    const { outage, lines } = anOutage();
    outage.closed('calls');
    outage.recovered('calls');
    outage.closed('calls');
    outage.stop();
    outage.closed('calls');
    outage.failed('signals', new Error('late'));
    expect(lines).toEqual([]);
  });
});
