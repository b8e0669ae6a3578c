export function isHubbleBuilt(): boolean
export function buildHubble(): Promise<string>
