internal import HTTPScan
internal import NIOCore

// What the server sends: responses to the requests in line, in order; and answers in its place.
extension ProxyConnection {
    /// The first request in line is the one to be answered.
    func beginFirst() {
        while phase == .open, !pending.isEmpty {
            let index = pending.startIndex
            switch pending[index].answerer {
            case .server:
                if responses.isIdle { responses.expect(pending[index].method, offering: pending[index].upgrade) }
                return
            case .local(let answer, let closes):
                // First: a write may find the connection gone, and end everything.
                var first = pending.removeFirst()
                writeLocal(answer, closes: closes, to: &first)
                if closes { return linger() }
            }
        }
    }

    func takeResponses() {
        var run = 0
        while phase == .open {
            guard let step = responseStep(behind: run) else { break }
            switch step {
            case .needMore:
                flush(run)
                return
            case .refuse(let fault):
                flush(run)
                shared.counters.badResponses += 1
                shared.counters.responseFaults[fault, default: 0] += 1
                badResponse(fault)
                return
            case .forward(let count, let ends):
                run += count
                if ends {
                    flush(run)
                    run = 0
                    finishFirst(keeps: true)
                }
            case .head(let head, let ends):
                run += head.count
                guard !pending.isEmpty else { return abort() }
                let index = pending.startIndex
                if !head.isInterim { pending[index].hasBegun = true }
                pending[index].isLast = pending[index].isLast || (!head.isInterim && !head.keepsConnection)
                if !head.isInterim { pending[index].status = head.status }
                if head.switchesProtocol {
                    flush(run)
                    run = 0
                    requests.answered(switches: true, isLast: true)
                    logFirst()
                    takeRequests()
                    continue
                }
                if !head.isInterim, pending[index].upgrade == .webSocket {
                    requests.answered(switches: false, isLast: pending[index].isLast)
                }
                if ends {
                    flush(run)
                    run = 0
                    finishFirst(keeps: true)
                }
            }
        }
        if phase == .open { flush(run) }
    }

    private func flush(_ count: Int) {
        guard count > 0 else { return }
        let taken = toClient.offer(fromServer, count)
        let rest = ProxyConnection.take(taken, of: count, from: &fromServer)
        if let rest { toClient.hold(rest) }
    }

    /// The first request is answered to its end.
    func finishFirst(keeps: Bool) {
        logFirst()
        guard let first = pending.popFirst() else { return }
        hasResponses = true
        // A response that ends before its request: the server may take the rest for another one.
        let isCut = pending.isEmpty && !requests.hasWholeRequest
        if !keeps || first.isLast || isCut { return linger() }
        beginFirst()
        if phase == .open { takeRequests() }
    }

    /// A response that is not understood, or bytes that nothing asked for.
    private func badResponse(_ fault: ResponseFault) {
        if let index = pending.indices.first, case .server = pending[index].answerer {
            let allowed = pending[index].record.take()
            pending[index].record = shared.lines?.record(of: allowed, failedBy: fault.name)
        }
        if let first = pending.first, case .server = first.answerer, !first.hasBegun {
            answerFirst(.badResponse)
        } else if pending.isEmpty {
            linger()
        } else {
            abort()
        }
    }

    /// Answers the first request in the server's place, as the last.
    func answerFirst(_ answer: LocalAnswer) {
        guard var first = pending.popFirst() else { return linger() }
        requests.end()
        writeLocal(answer, closes: true, to: &first)
        linger()
    }

    /// A head that takes too long. Others before it are cut short: their client is as slow as this.
    func timeOut() {
        headSince = nil
        guard pending.isEmpty else { return abort() }
        append(
            PendingRequest(
                answerer: .local(.timeout, closes: true), method: .other, upgrade: .none, isLast: true, since: .now(),
                record: nil))
    }

    private func writeLocal(_ answer: LocalAnswer, closes: Bool, to request: inout PendingRequest) {
        toClient.write(answer.message(closes: closes, toHEAD: request.method == .head))
        request.status = answer.status
        logUnanswered(&request)
    }

    private func logFirst() {
        guard !pending.isEmpty else { return }
        let first = pending.startIndex
        guard let record = pending[first].record.take() else { return }
        log(record, status: pending[first].status, since: pending[first].since)
    }

    /// Requests that were decided and never get their whole answer: each decided request has its line.
    func logUnanswered() {
        while var request = pending.popFirst() { logUnanswered(&request) }
        undecided?.decision = .error
        guard let record = undecided.take() else { return }
        log(record, status: 0, since: lastActivity)
    }

    /// The line of a request that its server does not answer. The record is changed in its place and then given away: a copy would keep
    /// its memory from the next one.
    func logUnanswered(_ request: inout PendingRequest) {
        if request.record?.decision == .allowed { request.record?.decision = .error }
        guard let record = request.record.take() else { return }
        log(record, status: request.status, since: request.since)
    }

    func log(_ record: consuming AccessRecord, status: Int, since: NIODeadline) {
        if logText.isEmpty { logText = LogLines.connectionText(clientAddress, flow) }
        shared.write(
            record,
            .init(
                status: status, latency: NIODeadline.now() - since, connection: logText, client: clientAddress,
                revision: rules?.book.revision))
    }
}
