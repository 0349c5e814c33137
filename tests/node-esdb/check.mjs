// What EventStore's own client for Node expects of a server: it appends, reads
// and follows through the address in URL, and through the one in FOLLOWER,
// whose node does not lead.
import assert from "node:assert/strict";
import {
  BACKWARDS, END, EventStoreDBClient, FORWARDS, NO_STREAM, NotLeaderError, START, StreamNotFoundError,
  WrongExpectedVersionError, binaryEvent, jsonEvent, streamNameFilter,
} from "@eventstore/db-client";

const client = EventStoreDBClient.connectionString(process.env.URL);
const event = (n) => jsonEvent({ type: "Counted", data: { n }, metadata: { by: "node" } });
const events = [event(0), event(1), event(2)];

async function collect(reading) {
  const all = [];
  for await (const resolved of reading) all.push(resolved.event);
  return all;
}

const checks = {
  async "appends under a claim"() {
    const result = await client.appendToStream("a-1", events, { expectedRevision: NO_STREAM });
    assert.equal(result.success, true);
    assert.equal(result.nextExpectedRevision, 2n);
    assert.ok(result.position.commit > 0n);
  },
  async "repeats an append"() {
    const result = await client.appendToStream("a-1", events, { expectedRevision: NO_STREAM });
    assert.equal(result.nextExpectedRevision, 2n);
  },
  async "refuses a false claim"() {
    await assert.rejects(client.appendToStream("a-1", [event(3)], { expectedRevision: 1n }), (error) => {
      assert.ok(error instanceof WrongExpectedVersionError);
      assert.equal(error.actualVersion, 2n);
      return true;
    });
  },
  async "reads a stream in both directions"() {
    const forwards = await collect(client.readStream("a-1", { direction: FORWARDS, fromRevision: START }));
    assert.deepEqual(forwards.map((e) => e.data.n), [0, 1, 2]);
    assert.deepEqual(forwards.map((e) => e.id), events.map((e) => e.id));
    assert.deepEqual(forwards[0].metadata, { by: "node" });
    assert.ok(Math.abs(new Date(forwards[0].created) - Date.now()) < 60_000);
    const backwards = await collect(client.readStream("a-1", { direction: BACKWARDS, fromRevision: END, maxCount: 2 }));
    assert.deepEqual(backwards.map((e) => e.data.n), [2, 1]);
  },
  async "knows what does not exist"() {
    await assert.rejects(collect(client.readStream("nobody-1")), StreamNotFoundError);
  },
  async "keeps bytes"() {
    await client.appendToStream("b-1", [binaryEvent({ type: "Bytes", data: Uint8Array.of(0, 255, 0) })]);
    const [read] = await collect(client.readStream("b-1"));
    assert.deepEqual([...read.data], [0, 255, 0]);
  },
  async "reads all from a position"() {
    const all = await collect(client.readAll({ direction: FORWARDS, fromPosition: START, maxCount: 100 }));
    const own = all.filter((e) => !e.streamId.startsWith("$"));
    assert.deepEqual(own.map((e) => e.streamId), ["a-1", "a-1", "a-1", "b-1"]);
    for (let i = 1; i < all.length; i++) assert.ok(all[i].position.commit > all[i - 1].position.commit);
    const rest = await collect(client.readAll({ direction: FORWARDS, fromPosition: own[1].position, maxCount: 100 }));
    assert.equal(rest[0].id, own[1].id);
    const [last] = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    assert.equal(last.streamId, "b-1");
  },
  async "follows with a filter"() {
    const seen = [];
    const subscription = client.subscribeToAll({
      fromPosition: START,
      filter: streamNameFilter({ regex: "^[^$_]", checkpointInterval: 1 }),
    });
    for await (const resolved of subscription) {
      seen.push(`${resolved.event.revision}@${resolved.event.streamId}`);
      if (seen.length === 4) {
        await client.appendToStream("_beside-1", [event(0)]);
        await client.appendToStream("a-1", [event(3)], { expectedRevision: 2n });
      }
      if (seen.length === 5) break;
    }
    assert.deepEqual(seen, ["0@a-1", "1@a-1", "2@a-1", "0@b-1", "3@a-1"]);
  },
  async "goes on behind a position"() {
    const [, second] = await collect(client.readStream("a-1"));
    for await (const resolved of client.subscribeToAll({ fromPosition: second.position })) {
      assert.equal(resolved.event.revision, 2n);
      break;
    }
  },
  async "forgets all but the last"() {
    await client.setStreamMetadata("c-1", { maxCount: 1 });
    for (const n of [0, 1, 2]) await client.appendToStream("c-1", [event(n)]);
    const left = await collect(client.readStream("c-1"));
    assert.deepEqual(left.map((e) => [e.revision, e.data.n]), [[2n, 2]]);
  },
  async "is sent to the leader"() {
    const other = EventStoreDBClient.connectionString(process.env.FOLLOWER);
    const append = () => other.appendToStream("d-1", [event(0)], { requiresLeader: true });
    await assert.rejects(append(), NotLeaderError);
    const result = await append(); // the client has gone there
    assert.equal(result.nextExpectedRevision, 0n);
    await other.dispose();
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok ${name}`);
}
await client.dispose();
