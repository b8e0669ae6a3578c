import type { RecordedRequest } from './cases.ts'

/** Of the same kinds as the recorded ones, with what Envoy's documentation and source say. */
export const furtherCases: { name: string; config: string; requests: RecordedRequest[] }[] = []
