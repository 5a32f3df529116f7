import { useState } from "preact/hooks";
import { CopyButton } from "../app/CopyButton";
import { countText } from "../text";
import { isLong, shownPart, UNFOLDED_LENGTH } from "./filter";
import type { MetadataField } from "./record";

/** The fields of a record: name and type on the left, value on the right. */
export function MetadataTable({
  fields,
  label,
}: {
  readonly fields: readonly MetadataField[];
  readonly label: string;
}) {
  return (
    <table class="h5x-fields" aria-label={label}>
      <thead class="h5x-hidden">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field, index) => (
          <FieldRow key={`${index} ${field.name}`} field={field} />
        ))}
      </tbody>
    </table>
  );
}

function FieldRow({ field }: { readonly field: MetadataField }) {
  return (
    <tr>
      <th scope="row">
        <span class="h5x-field-name">{field.name === "" ? "(no name)" : field.name}</span>
        <span class="h5x-field-type">{field.type}</span>
      </th>
      <td>
        <div class="h5x-field-cell">
          <FieldValueText field={field} />
          <CopyButton text={field.value.text} what={`the value of ${field.name}`} />
        </div>
      </td>
    </tr>
  );
}

function FieldValueText({ field }: { readonly field: MetadataField }) {
  const [unfolded, setUnfolded] = useState(false);
  const { text, kind } = field.value;
  if (kind === "text" && text === "") return <span class="h5x-value h5x-missing">empty text</span>;
  const long = isLong(text);
  return (
    <span class={`h5x-value h5x-kind-${kind}`}>
      <span class="h5x-value-text">{long ? shownPart(text, unfolded) : text}</span>
      {long && (
        <button type="button" class="h5x-link" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
          {unfolded ? "Show less" : unfoldText(text)}
        </button>
      )}
    </span>
  );
}

function unfoldText(text: string): string {
  return text.length > UNFOLDED_LENGTH
    ? `Show ${countText(UNFOLDED_LENGTH)} of ${countText(text.length)} characters`
    : `Show all ${countText(text.length)} characters`;
}
