import type { Tracing } from '../telemetry/tracing.ts';
import type { ProxmoxHttp } from './http.ts';

/** A span for each call that belongs to a trace. Its path is without the query; headers and forms are not in it. */
export function traceCalls(http: ProxmoxHttp, tracing: Tracing): ProxmoxHttp {
  return {
    send(call) {
      const [path = ''] = call.path.split('?', 1);
      const attributes = {
        'http.request.method': call.method,
        'server.address': call.base.hostname,
        'url.path': path,
      };
      return tracing.withSpan(
        `proxmox ${call.method} ${path.split('/').at(-1)}`,
        attributes,
        async (span) => {
          const answer = await http.send(call);
          span.setAttributes({ 'http.response.status_code': answer.status });
          return answer;
        },
      );
    },
    close: () => http.close(),
  };
}
