import NIOCore

extension KubeTransport {
    /// The body of an answer that is read as a whole.
    ///
    /// - Throws: also `RequestFailure.status` for an answer other than 200 and 201, `RequestFailure.tooLarge`.
    public func document(_ request: KubeRequest) async throws(RequestFailure) -> [UInt8] {
        try await send(request) { response throws(RequestFailure) in
            var reader = response.body.reader()
            guard response.status == 200 || response.status == 201 else { throw await response.refusal(&reader) }
            var bytes: [UInt8] = []
            while let chunk = try await reader.next() {
                guard bytes.count + chunk.readableBytes <= KubeLimits.answerBytes else {
                    throw .tooLarge(limit: KubeLimits.answerBytes)
                }
                bytes += chunk.readableBytesView
            }
            return bytes
        }
    }

    /// What `read` makes of the body of an answer that comes within a time.
    ///
    /// - Throws: also `RequestFailure.connection` when the time is over, `RequestFailure.garbled` for what `read` throws.
    public func document<Result: Sendable>(
        _ request: KubeRequest, within limit: Duration,
        read: @Sendable ([UInt8]) throws(EnvelopeFailure) -> Result
    ) async throws(RequestFailure) -> Result {
        let outcome = await withTaskGroup(of: Swift.Result<[UInt8], RequestFailure>.self) { group in
            group.addTask {
                do throws(RequestFailure) {
                    return .success(try await document(request))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return .failure(.connection("no answer within \(limit.components.seconds) s"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(.connection("cancelled"))
        }
        let bytes = try outcome.get()
        do throws(EnvelopeFailure) {
            return try read(bytes)
        } catch {
            throw .garbled("\(error)")
        }
    }
}

extension KubeResponse {
    /// What a refusal says. Its body may be text, JSON, or broken off.
    func refusal(_ reader: inout Reader) async -> RequestFailure {
        var bytes: [UInt8] = []
        while bytes.count < KubeLimits.refusalBytes, let chunk = try? await reader.next() {
            bytes += chunk.readableBytesView
        }
        let object = StatusObject(parsing: bytes)
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }.prefix(200), as: UTF8.self)
        return .status(
            RequestFailure.Refusal(
                code: status, status: object, retryAfter: retryAfter ?? object?.retryAfter,
                text: object == nil ? line : ""))
    }
}
