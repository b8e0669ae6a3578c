export function istioFolder(): string
export function buildIstio(names?: string[]): Promise<string>
export function isIstioBuilt(names?: string[]): boolean
