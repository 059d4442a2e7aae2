import Glibc
import Support
import Synchronization
import Testing

@Suite("Threads of one call")
struct JoinedThreadsTests {
    @Test("every call has its number, and all have ended when they return")
    func numbers() {
        let seen = Mutex<[Int]>([])
        JoinedThreads.run(5) { number in
            usleep(UInt32(number) * 1000)
            seen.withLock { $0.append(number) }
        }
        #expect(seen.withLock { $0.sorted() } == [0, 1, 2, 3, 4])
    }

    @Test("one call is on the calling thread", arguments: [0, 1])
    func caller(count: Int) {
        let own = pthread_self()
        let others = Mutex(0)
        JoinedThreads.run(count) { _ in
            if pthread_equal(own, pthread_self()) == 0 { others.withLock { $0 += 1 } }
        }
        #expect(others.withLock { $0 } == 0)
    }
}
