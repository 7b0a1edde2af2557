import { $api } from "./api";
import { queriesFor } from "./queries";

/** The reads of the browser. */
export const queries = queriesFor($api);
