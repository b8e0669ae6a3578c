export function rateLimitVersion(): string
export function rateLimitService(): string
export function isRateLimitBuilt(): boolean
export function buildRateLimit(): Promise<string>
