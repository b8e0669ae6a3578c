export function isCollectorBuilt(): boolean
export function buildCollector(): Promise<string>
