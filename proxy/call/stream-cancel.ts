/**
 * How Flux's services end a streaming request before its end. A service has one of two ways:
 *
 * - a cancel request, without an answer, with the matchtag of the stream (flux-core, `flux_cancel_match`): the service compares the sender,
 *   so it goes over the same connection. The stream then ends with ENODATA.
 * - the disconnect of its sender (RFC 6), which ends all requests of a connection: such a stream has a connection of its own.
 *
 * | stream                       | cancel                         | flux-core 0.88                             |
 * | ---------------------------- | ------------------------------ | ------------------------------------------ |
 * | `job-info.eventlog-watch`    | `...eventlog-watch-cancel`     | `modules/job-info/job-info.c`, `htab`      |
 * | `job-info.update-watch`      | `...update-watch-cancel`       | `modules/job-info/job-info.c`, `htab`      |
 * | `job-manager.events-journal` | `...events-journal-cancel`     | `modules/job-manager/journal.c`, `htab`    |
 * | `kvs-watch.lookup`           | `kvs-watch.cancel`             | `modules/kvs-watch/kvs-watch.c`, `htab`    |
 * | `log.dmesg`                  | `log.cancel`                   | `broker/log.c`, `htab`                     |
 * | `resource.journal`           | `...journal-cancel`            | `modules/resource/reslog.c`, `htab`        |
 * | `job-list.job-stats`, `groups.get`, `state-machine.monitor` and all others | none | `SERVICE.disconnect` |
 */
const CANCELS: ReadonlyMap<string, string> = new Map([
  ["job-info.eventlog-watch", "job-info.eventlog-watch-cancel"],
  ["job-info.update-watch", "job-info.update-watch-cancel"],
  ["job-manager.events-journal", "job-manager.events-journal-cancel"],
  ["kvs-watch.lookup", "kvs-watch.cancel"],
  ["log.dmesg", "log.cancel"],
  ["resource.journal", "resource.journal-cancel"],
]);

/** The topic that cancels a stream; undefined if only a disconnect does. */
export function cancelTopic(topic: string): string | undefined {
  return CANCELS.get(topic);
}
