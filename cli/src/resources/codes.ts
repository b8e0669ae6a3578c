/**
 * Codes of the diagnostics on resources. A code keeps its meaning for ever: people filter and search by it.
 * MS10 input, MS11 fields, MS12 meaning of a field, MS13 what this version can't enforce, MS14 valid but probably not meant.
 */
export const codes = {
  MS1001: 'A file or folder could not be read',
  MS1002: 'The text is not valid YAML',
  MS1003: 'A document is not a Kubernetes resource',
  MS1004: 'The kind or its version is unknown',
  MS1005: 'The same resource is defined twice',
  MS1006: 'A resource was ignored',
  MS1007: 'There is no resource in the input',
  MS1008: 'A resource has no namespace',
  MS1101: 'Unknown field',
  MS1102: 'Wrong type',
  MS1103: 'A required field is missing',
  MS1104: 'A value is not one of the allowed ones',
  MS1105: 'A list has too many or too few items',
  MS1106: 'A value is not well-formed',
  MS1107: 'A field has no value',
  MS1108: 'A field is written in another case',
  MS1109: 'A field is there twice',
  MS1201: 'A rule part is empty',
  MS1202: 'The action and its rules do not fit together',
  MS1203: 'A condition has an unknown key',
  MS1204: 'Fields exclude each other',
  MS1205: 'An invalid path template',
  MS1301: 'The filter cannot enforce this field',
  MS1302: 'The filter cannot enforce this action',
  MS1303: 'The compiler does not read this kind yet',
  MS1401: 'A value can never match',
  MS1402: 'No policy selects the workload',
  MS1403: 'A trust domain is not rewritten',
} as const

export type Code = keyof typeof codes
