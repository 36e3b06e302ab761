(* Subgradients of a maximum of any number n of taps, in any ordered field: shares of its maximal taps, and no others. *)
From Symconv Require Export Taps.

Section Subgradients.
Variable F : OField.
Add Ring values : (laws F).
Notation order := (@order_of F).
Notation taps n := (range 0 (n - 1)).
Notation neg := (@inj F (- (1))).

Lemma neg_one : neg = opp one.
Proof. change (- (1)) with (Z.opp 1). rewrite inj_opp, inj_1. reflexivity. Qed.
Lemma below_refl (a : F) : a ≼ a. Proof. apply le_refl. Qed.
Lemma below_trans (a b c : F) : a ≼ b -> b ≼ c -> a ≼ c. Proof. apply le_trans. Qed.
Lemma below_add (a b c d : F) : a ≼ b -> c ≼ d -> a ⊕ c ≼ b ⊕ d.
Proof.
  intros A C. eapply le_trans; [apply order_add, A|]. replace (b ⊕ c) with (c ⊕ b) by ring.
  replace (b ⊕ d) with (d ⊕ b) by ring. apply order_add, C.
Qed.
Lemma below_iff (a b : F) : a ≼ b <-> zero ≼ b ⊕ neg · a.
Proof.
  rewrite neg_one. split; intros H.
  - apply (order_add F a b (opp one · a)) in H. replace (a ⊕ opp one · a) with (@zero F) in H by ring. exact H.
  - apply (order_add F _ _ a) in H. replace (zero ⊕ a) with a in H by ring.
    replace (b ⊕ opp one · a ⊕ a) with b in H by ring. exact H.
Qed.
Lemma below_mul (a b c : F) : zero ≼ c -> a ≼ b -> c · a ≼ c · b.
Proof.
  intros C H. apply (proj2 (below_iff _ _)). replace (c · b ⊕ neg · (c · a)) with (c · (b ⊕ neg · a)) by ring.
  apply order_mul; auto. apply (proj1 (below_iff a b)), H.
Qed.
Lemma below_total (a b : F) : a ≼ b \/ b ≼ a.
Proof. destruct (le order a b) eqn:E; auto. right. apply le_total, E. Qed.
Lemma zero_one : @zero F ≼ one.
Proof.
  destruct (below_total zero one) as [|H]; auto.
  assert (N : zero ≼ neg). { apply (order_add F _ _ neg) in H. rewrite neg_one in *. replace (one ⊕ opp one) with (@zero F) in H by ring.
   replace (zero ⊕ opp one) with (@opp F one) in H by ring. exact H. }
  replace (@one F) with (neg · neg) by (rewrite neg_one; ring). apply order_mul; auto.
Qed.
Lemma sum_below {A} (l : list A) (f g : A -> F) : (forall k, In k l -> f k ≼ g k) -> sum l f ≼ sum l g.
Proof.
  induction l as [|k l IH]; cbn; intros H; [apply le_refl|]. apply below_add; auto.
Qed.
Lemma largest_of none (x : Z -> F) n : 1 <= n -> exists t, 0 <= t <= n - 1 /\
  maximum order none (taps n) x = x t /\ forall k, 0 <= k <= n - 1 -> x k ≼ x t.
Proof.
  intros N. destruct (first_largest F x n N) as (t & T & _ & U). exists t. split; auto. split; auto. apply maximum_is; auto.
Qed.
Lemma maximum_below none (x : Z -> F) n m : 1 <= n -> (forall k, 0 <= k <= n - 1 -> x k ≼ m) -> maximum order none (taps n) x ≼ m.
Proof. intros N H. destruct (largest_of none x n N) as (t & T & -> & _). auto. Qed.
Lemma below_maximum none (x : Z -> F) n k : 0 <= k <= n - 1 -> x k ≼ maximum order none (taps n) x.
Proof. intros K. destruct (largest_of none x n) as (t & T & -> & U); [lia|]. auto. Qed.

(* A window of which no entry is above 0 passes nothing back through a ReLU, whatever the shares. *)
Theorem dead_window none n (w x : Z -> F) k : 1 <= n -> maximum order none (taps n) x ≼ zero -> 0 <= k <= n - 1 ->
  w k · iv (negb (le order (x k) zero)) one = zero.
Proof.
  intros _ H K. replace (le order (x k) zero) with true; [cbn; ring|]. symmetry. eapply le_trans; [|exact H].
  apply below_maximum, K.
Qed.

Definition slopes n (w x y : Z -> F) := sum (taps n) (fun k => w k · (y k ⊕ neg · x k)).
Lemma slopes_apart n w x y : slopes n w x y = sum (taps n) (fun k => w k · y k) ⊕ neg · sum (taps n) (fun k => w k · x k).
Proof. unfold slopes. rewrite mul_sum, <- sum_add. apply sum_ext. intros. ring. Qed.

Theorem subgradient none n (w x y : Z -> F) : 1 <= n -> (forall k, 0 <= k <= n - 1 -> zero ≼ w k) ->
  sum (taps n) w = one -> sum (taps n) (fun k => w k · x k) = maximum order none (taps n) x ->
  maximum order none (taps n) x ⊕ sum (taps n) (fun k => w k · (y k ⊕ neg · x k)) ≼ maximum order none (taps n) y.
Proof.
  intros N W S X. fold (slopes n w x y). rewrite slopes_apart, X. set (M := maximum order none (taps n) x).
  replace (M ⊕ (sum (taps n) (fun k => w k · y k) ⊕ neg · M)) with (sum (taps n) (fun k => w k · y k)) by (rewrite neg_one; ring).
  set (Y := maximum order none (taps n) y). replace Y with (sum (taps n) (fun k => w k · Y)).
  - apply sum_below. intros k K. apply in_range in K. apply below_mul; auto. apply below_maximum, K.
  - rewrite <- (sum_mul F), S. ring.
Qed.
Theorem subgradients_add n (g x y s : Z -> F) : 1 <= n ->
  (forall k, 0 <= k <= n - 1 -> zero ≼ g k /\ (x k ⊕ s k ≼ y k)) ->
  sum (taps n) (fun k => g k · x k) ⊕ sum (taps n) (fun k => g k · s k) ≼ sum (taps n) (fun k => g k · y k).
Proof.
  intros _ H. rewrite <- sum_add. apply sum_below. intros k K. apply in_range in K. destruct (H k K).
  replace (g k · x k ⊕ g k · s k) with (g k · (x k ⊕ s k)) by ring. apply below_mul; auto.
Qed.
Lemma positive_iv c : @zero F ≼ iv c one.
Proof. destruct c; [apply zero_one | apply le_refl]. Qed.
Theorem first_nonnegative n (x : Z -> F) k : zero ≼ first_share F n x k.
Proof. apply order_mul; apply positive_iv. Qed.
Lemma inverse_nonnegative (a : F) : a <> zero -> zero ≼ a -> zero ≼ inverse a.
Proof.
  intros N H. destruct (below_total zero (inverse a)) as [|L]; auto. exfalso. apply (one_zero F).
  apply (le_antisym order); [|apply zero_one]. rewrite <- (inverse_spec F a N).
  replace (@zero F) with (a · zero) by ring. apply below_mul; auto.
Qed.
Theorem split_nonnegative n (x : Z -> F) k : 1 <= n -> zero ≼ split_share F n x k.
Proof.
  intros N. apply order_mul; [apply positive_iv|]. apply inverse_nonnegative; [apply some_largest, N|].
  replace (@zero F) with (sum (taps n) (fun _ => @zero F)) by apply sum_zero. apply sum_below. intros. apply positive_iv.
Qed.

(* The subdifferential of a maximum *)
Lemma slopes_at n w x (t : Z) (d : F) : 0 <= t <= n - 1 ->
  sum (taps n) (fun k => w k · ((x k ⊕ (if k =? t then d else zero)) ⊕ neg · x k)) = w t · d.
Proof.
  intros T. rewrite (sum_only F t); [|apply nodup_range | apply in_range, T |].
  - rewrite Z.eqb_refl, neg_one. ring.
  - intros k _ D. apply Z.eqb_neq in D. rewrite D, neg_one. ring.
Qed.
Lemma slopes_all n w x (d : F) : sum (taps n) (fun k => w k · ((x k ⊕ d) ⊕ neg · x k)) = sum (taps n) w · d.
Proof. rewrite sum_mul. apply sum_ext. intros. rewrite neg_one. ring. Qed.
Lemma sum_both n (f g : Z -> F) : (forall k, 0 <= k <= n - 1 -> f k = g k) -> sum (taps n) f = sum (taps n) g.
Proof. intros H. apply sum_ext. intros k K. apply H, in_range, K. Qed.
Lemma cancel (a b c : F) : a ⊕ b ≼ a ⊕ c -> b ≼ c.
Proof. intros H. apply (order_add F _ _ (opp a)) in H. replace (a ⊕ b ⊕ opp a) with b in H by ring.
  replace (a ⊕ c ⊕ opp a) with c in H by ring. exact H. Qed.
Theorem subdifferential none n (w x : Z -> F) : 1 <= n ->
  ((forall k, 0 <= k <= n - 1 -> (zero ≼ w k) /\ (w k · (maximum order none (taps n) x ⊕ neg · x k) = zero)) /\ (sum (taps n) w = one)) <->
  (forall other : Z -> F, let y k := iv (inside 0 k (n - 1)) (other k) in
    maximum order none (taps n) x ⊕ sum (taps n) (fun k => w k · (y k ⊕ neg · x k)) ≼ maximum order none (taps n) y).
Proof.
  intros N. set (M := maximum order none (taps n) x). split.
  - intros [H S] other y. apply subgradient; auto. { intros k K. apply H, K. }
    transitivity (sum (taps n) (fun k => w k · M)).
    + apply sum_both. intros k K. destruct (H k K) as [_ E].
      replace (w k · x k) with (w k · M ⊕ neg · (w k · (M ⊕ neg · x k))) by (rewrite neg_one; ring). rewrite E. ring.
    + rewrite <- (sum_mul F M _ w), S. unfold M. ring.
  - intros H.
    assert (G : forall y B, (forall k, 0 <= k <= n - 1 -> y k ≼ B) -> M ⊕ sum (taps n) (fun k => w k · (y k ⊕ neg · x k)) ≼ B).
    { intros y B Y. eapply le_trans; [|apply (maximum_below none (fun k => iv (inside 0 k (n - 1)) (y k)) n B N)].
      - erewrite sum_both; [apply (H y)|]. intros k K. cbn beta. replace (inside 0 k (n - 1)) with true; auto.
        symmetry. apply inside_iff, K.
      - intros k K. replace (inside 0 k (n - 1)) with true; [apply Y, K|]. symmetry. apply inside_iff, K. }
    clear H. assert (U : forall k, 0 <= k <= n - 1 -> x k ≼ M) by (intros; apply below_maximum; auto).
    assert (less : forall a : F, a ⊕ neg ≼ a).
    { intros a. apply (proj2 (below_iff _ _)). replace (a ⊕ neg · (a ⊕ neg)) with (@one F) by (rewrite neg_one; ring). apply zero_one. }
    assert (P : forall t, 0 <= t <= n - 1 -> zero ≼ w t).
    { intros t T. pose proof (G (fun k => x k ⊕ (if k =? t then neg else zero)) M) as Q. cbn beta in Q.
      rewrite slopes_at in Q by auto.       apply (cancel (w t · neg)). replace (w t · neg ⊕ zero) with (w t · neg) by ring.
      replace (w t · neg ⊕ w t) with (@zero F) by (rewrite neg_one; ring). apply (cancel M).
      replace (M ⊕ zero) with M by ring. apply Q. intros k K. destruct (k =? t).
      - eapply le_trans; [apply less | auto].
      - replace (x k ⊕ zero) with (x k) by ring. auto. }
    split.
    + intros t T. split; [auto|]. pose proof (G (fun k => x k ⊕ (if k =? t then M ⊕ neg · x t else zero)) M) as Q.
      cbn beta in Q. rewrite slopes_at in Q by auto. apply (le_antisym order).
      * apply (cancel M). replace (M ⊕ zero) with M by ring. apply Q. intros k K. destruct (Z.eqb_spec k t) as [->|].
        -- replace (x t ⊕ (M ⊕ neg · x t)) with M by (rewrite neg_one; ring). apply le_refl.
        -- replace (x k ⊕ zero) with (x k) by ring. auto.
      * apply order_mul; auto. apply (proj1 (below_iff (x t) M)). auto.
    + apply (le_antisym order).
      * pose proof (G (fun k => x k ⊕ one) (M ⊕ one)) as Q. cbn beta in Q. rewrite slopes_all in Q.
        replace (sum (taps n) w · one) with (sum (taps n) w) in Q by ring. apply (cancel M), Q.
        intros k K. apply order_add. auto.
      * pose proof (G (fun k => x k ⊕ neg) (M ⊕ neg)) as Q. cbn beta in Q. rewrite slopes_all in Q. set (S := sum (taps n) w) in *.
        apply (cancel (S · neg ⊕ neg)). replace (S · neg ⊕ neg ⊕ S) with neg by (rewrite neg_one; ring).
        replace (S · neg ⊕ neg ⊕ one) with (S · neg) by (rewrite neg_one; ring). apply (cancel M), Q. intros k K. apply order_add. auto.
Qed.
End Subgradients.
