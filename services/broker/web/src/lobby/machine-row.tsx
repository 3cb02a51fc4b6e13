import type { Machine, PowerAction } from '../api.ts';
import { ContainerIcon, EyeIcon, MachineIcon } from '../icons.tsx';
import { powerGoing, statusWord } from '../texts.ts';
import { bestPath } from './best-path.ts';
import { MachineMenu } from './machine-menu.tsx';

interface MachineRowProps {
  readonly machine: Machine;
  readonly showCluster: boolean;
  readonly pick: (search: string) => void;
  /** What it is told to do at this moment. */
  readonly going: PowerAction | undefined;
  readonly power: (action: PowerAction) => void;
}

/** One machine. Its name is a link that is stretched over the whole row; tags and menu lie above it. */
export function MachineRow({ machine, showCluster, pick, going, power }: MachineRowProps) {
  const { name, vmid, status, type, node, cluster, pool, tags, allow, kinds } = machine;
  const control = allow.includes('control');
  const openable = kinds.length > 0;
  const facts = [showCluster ? `${cluster} / ${node}` : node, pool].filter((fact) => fact);
  return (
    <li class="machine" data-status={status} data-vmid={vmid}>
      <span class="machine-icon" title={type === 'lxc' ? 'Container' : 'Virtual machine'}>
        {type === 'lxc' ? <ContainerIcon /> : <MachineIcon />}
        <span class="visually-hidden">{type === 'lxc' ? 'Container' : 'Virtual machine'}</span>
      </span>
      <span class="machine-main">
        {openable ? (
          <a class="machine-name" href={bestPath(machine)}>
            {name}
          </a>
        ) : (
          <span class="machine-name">{name}</span>
        )}
        <span class="machine-facts">
          <span class="vmid">{vmid}</span>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
          {kinds.includes('screen') && !control ? (
            <span class="view-only">
              <EyeIcon /> View only
            </span>
          ) : null}
        </span>
      </span>
      {tags.length > 0 ? (
        <span class="tags">
          {tags.map((tag) => (
            <button key={tag} type="button" class="tag" title={`Search for ${tag}`} onClick={() => pick(tag)}>
              {tag}
            </button>
          ))}
        </span>
      ) : null}
      <span class="status" data-status={status} data-going={going !== undefined}>
        <span class="dot" aria-hidden="true" />
        {going ? powerGoing[going] : statusWord(status)}
      </span>
      {openable || allow.includes('power') ? <MachineMenu machine={machine} power={power} /> : null}
    </li>
  );
}
