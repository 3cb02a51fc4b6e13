import type { Tracing } from '../telemetry/tracing.ts';
import type { ProxmoxHttp } from './http.ts';

/** Adds a span for each call that belongs to a trace. Spans contain no query, headers or form. */
export function traceCalls(http: ProxmoxHttp, tracing: Tracing): ProxmoxHttp {
  return {
    send(call) {
      const [path = ''] = call.path.split('?', 1);
      const attributes = {
        'http.request.method': call.method,
        'server.address': call.host.base.hostname,
        'url.path': path,
      };
      return tracing.withSpan(
        `proxmox ${call.method} ${path.split('/').at(-1)}`,
        attributes,
        async (span) => {
          const response = await http.send(call);
          span.setAttributes({ 'http.response.status_code': response.status });
          return response;
        },
      );
    },
    close: () => http.close(),
  };
}
