import { useState } from 'preact/hooks';
import { t } from '../language/t.ts';
import type { SelectStep } from './step.ts';

export interface Selection {
  readonly machines: readonly string[];
  readonly classes: readonly string[];
}

/** A teacher chooses what a link opens. */
export function SelectForm({
  step,
  onSelect,
}: {
  readonly step: SelectStep;
  readonly onSelect: (selection: Selection) => void;
}) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const classes = step.classes.map(({ name, title }) => ({ id: `class ${name}`, value: name, text: title }));
  const machines = step.machines.map(({ id, name }) => ({ id: `machine ${id}`, value: id, text: name }));
  const chosenOf = (options: readonly Option[]) =>
    options.filter(({ id }) => chosen.has(id)).map(({ value }) => value);
  const toggle = (id: string) => {
    const others = step.multiple ? [...chosen] : [];
    setChosen(new Set(chosen.has(id) ? others.filter((each) => each !== id) : [...others, id]));
  };
  if (classes.length + machines.length === 0) return <p>{t('lti.nothing')}</p>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSelect({ machines: chosenOf(machines), classes: chosenOf(classes) });
      }}
    >
      <h1>{t('lti.select')}</h1>
      <p class="fine-print">{t('lti.selectAdvice')}</p>
      <Options
        legend={t('classes')}
        options={classes}
        chosen={chosen}
        multiple={step.multiple}
        toggle={toggle}
      />
      <Options
        legend={t('machines')}
        options={machines}
        chosen={chosen}
        multiple={step.multiple}
        toggle={toggle}
      />
      <button class="button primary" disabled={chosen.size === 0}>
        {t('lti.add')}
      </button>
    </form>
  );
}

interface Option {
  readonly id: string;
  readonly value: string;
  readonly text: string;
}

function Options(props: {
  readonly legend: string;
  readonly options: readonly Option[];
  readonly chosen: ReadonlySet<string>;
  readonly multiple: boolean;
  readonly toggle: (id: string) => void;
}) {
  const { legend, options, chosen, multiple, toggle } = props;
  if (options.length === 0) return null;
  return (
    <fieldset>
      <legend>{legend}</legend>
      <ul>
        {options.map(({ id, text }) => (
          <li key={id}>
            <label>
              <input
                type={multiple ? 'checkbox' : 'radio'}
                checked={chosen.has(id)}
                onChange={() => toggle(id)}
              />
              {text}
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
