import { contentConformance } from '../conformance/content.ts'

contentConformance()
