import { listMissingText, listProblem, staleText } from '../../../services/broker/web/src/texts/machines.ts';

describe('the text for a list', () => {
  test.each([
    [{ staleSeconds: 1 }, /^Proxmox .* from 1 second ago\./],
    [{ staleSeconds: 59 }, /^Proxmox .* from 59 seconds ago\./],
    [{ staleSeconds: 60 }, /^Proxmox .* from 1 minute ago\./],
    [{ staleSeconds: 599, incomplete: true }, /^Proxmox .* from 9 minutes ago\. .*Some machines are missing/],
    [{ incomplete: true }, /^Part of Proxmox .*Some machines are missing/],
  ])('that is out of date says how old it is: %j', (list, text) => {
    expect(staleText(list)).toMatch(text);
  });

  test('that could not be loaded names the part that failed', () => {
    const code = 'proxmox_unreachable';
    expect(listProblem({ code })).toMatch(/^Proxmox /);
    expect(listProblem({ code: 'network' })).toMatch(/^Porthole /);
    expect(listMissingText({ code, title: 'Proxmox can not be reached.' })).toMatch(
      /^Proxmox can not be reached\. /,
    );
    expect(listMissingText({ code: 'store_unavailable' })).toMatch(/^Porthole /);
  });
});
